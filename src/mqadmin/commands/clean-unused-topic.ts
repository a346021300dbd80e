import { CleanUnusedTopic } from '../../protocol/requests/broker.ts'
import { cleanUpCommand } from '../clean-up.ts'

export const command = cleanUpCommand(
  'cleanUnusedTopic',
  'Remove the queues of topics that are in the store, but not in the configuration.',
  CleanUnusedTopic,
)
