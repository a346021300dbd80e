import { setTimeout as pause } from 'node:timers/promises'
import type { PullConsumer, ReceivedMessage } from '../../client/index.ts'
import { OffsetMovedEvent } from '../../protocol/bodies/offset-moved-event.ts'
import { JsonError } from '../../protocol/json.ts'
import type { Call, Command } from '../command.ts'
import { groupNames } from '../consumer-groups.ts'
import { failureText } from '../failure-text.ts'
import { type ConsumerFindings, consumerFindings, undoneMessages } from '../group-watch.ts'
import { humanTime } from '../printf.ts'
import { queueText, TOOLS_GROUP } from '../queue-scan.ts'

const ROUND_MS = 60_000
/** As Apache 5.3.3 names them (MonitorService): where brokers tell of offsets that were not there any more. */
const MONITOR_GROUP = '__MONITOR_CONSUMER'
const MOVED_TOPIC = 'OFFSET_MOVED_EVENT'
const RULE = '='.repeat(41)

export const command: Command = {
  name: 'startMonitoring',
  doc: 'Watch all groups: every minute, say how far each is behind, what failed, and which consumers are stuck.',
  options: [],
  run: startMonitoring,
}

/** Apache writes what it finds into a log; a tool that runs in a terminal says it there, in the words of that log. */
async function startMonitoring(call: Call): Promise<void> {
  const { admin, stopped } = call
  const consumer = admin.pullConsumer(TOOLS_GROUP)
  await admin.topics() // without a name server there is nothing to watch
  consumer.start()
  tellMoves(call)
  while (!stopped.aborted) {
    say(call, `${RULE}beginRound`)
    for (const group of await groupNames(admin)) {
      if (stopped.aborted) return
      if (group !== MONITOR_GROUP) await report(call, group, consumer)
    }
    say(call, `${RULE}endRound`)
    await pause(ROUND_MS, undefined, { signal: stopped }).catch(() => undefined)
  }
}

function say({ out }: Call, text: string): void {
  out.line(`${humanTime(Date.now())} [MONITOR] ${text}`)
}

/** A group that cannot be asked does not end the watch over the others. */
async function report(call: Call, consumerGroup: string, consumer: PullConsumer): Promise<void> {
  try {
    for (const undone of await undoneMessages(call.admin, consumerGroup, consumer)) {
      say(call, `reportUndoneMsgs: ${text('UndoneMsgs', undone)}`)
      call.out.data({ event: 'undone', ...undone })
    }
    tell(call, consumerGroup, await consumerFindings(call.admin, consumerGroup))
  } catch (error) {
    const problem = failureText(error)
    if (problem === null) throw error
    say(call, `${consumerGroup}: ${problem}`)
    call.out.data({ event: 'problem', consumerGroup, problem })
  }
}

function tell(call: Call, group: string, findings: ConsumerFindings): void {
  const { out } = call
  for (const failed of findings.failed) {
    say(call, `reportFailedMsgs: ${text('FailedMsgs', failed)}`)
    out.data({ event: 'failed', ...failed })
  }
  const notify = (what: string) =>
    say(call, ` [NOTIFY] reportConsumerRunningInfo: ConsumerGroup: ${group}, ${what}`)
  if (!findings.isSameSubscription) {
    notify('Subscription different')
    out.data({ event: 'differentSubscriptions', consumerGroup: group })
  }
  for (const { clientId, why } of findings.stuck) {
    notify(`ClientId: ${clientId}, ${why}`)
    out.data({ event: 'stuck', consumerGroup: group, clientId, why })
  }
}

function text(name: string, fields: object): string {
  const pairs = Object.entries(fields).map(([key, value]) => `${key}=${value}`)
  return `${name} [${pairs.join(', ')}]`
}

/** Brokers before 5.0 store an event when a consumer asks for messages that were deleted before it came. */
function tellMoves(call: Call): void {
  const report = (problem: string, error: unknown) => {
    say(call, `${MOVED_TOPIC}: ${problem}: ${failureText(error) ?? String(error)}`)
  }
  const consumer = call.admin.pushConsumer(MONITOR_GROUP, report)
  consumer.subscribe(MOVED_TOPIC)
  consumer.start((messages) => {
    for (const message of messages) tellMove(call, message)
    return Promise.resolve('CONSUME_SUCCESS')
  })
}

function tellMove(call: Call, { body, msgId, storeTimestamp }: ReceivedMessage): void {
  const event = eventIn(body)
  if (event === null) return say(call, `${MOVED_TOPIC}: message ${msgId} is no event`)
  const { consumerGroup, messageQueue, offsetRequest, offsetNew } = event
  const move = text('OffsetMovedEvent', {
    consumerGroup,
    messageQueue: queueText(messageQueue),
    offsetRequest,
    offsetNew,
  })
  const deleted = text('DeleteMsgsEvent', {
    offsetMovedEvent: move,
    eventTimestamp: storeTimestamp,
  })
  say(call, `reportDeleteMsgsEvent: ${deleted}`)
  call.out.data({ event: 'deleted', ...event, eventTimestamp: storeTimestamp })
}

/** Null: it is none. */
function eventIn(body: Uint8Array): OffsetMovedEvent | null {
  try {
    return OffsetMovedEvent.decode(body)
  } catch (error) {
    if (error instanceof JsonError) return null
    throw error
  }
}
