import type { Handlers } from '../../net/handlers.ts'
import {
  AddWritePermOfBroker,
  WipeWritePermOfBroker,
} from '../../protocol/requests/registration.ts'
import type { Parts } from '../parts.ts'

/** Takes a broker out of the way of producers, and puts it back: for a stop without failed sends. */
export function serveWritePermission(handlers: Handlers, { table, log }: Parts): void {
  handlers
    .on(WipeWritePermOfBroker, ({ brokerName }) => {
      const wipeTopicCount = table.wipe(brokerName)
      log.info({ brokerName, wipeTopicCount }, 'write permissions were wiped by request')
      return { header: { wipeTopicCount } }
    })
    .on(AddWritePermOfBroker, ({ brokerName }) => {
      const addTopicCount = table.addWrite(brokerName)
      log.info({ brokerName, addTopicCount }, 'write permissions were added by request')
      return { header: { addTopicCount } }
    })
}
