import { CleanExpiredConsumeQueue } from '../../protocol/requests/broker.ts'
import { cleanUpCommand } from '../clean-up.ts'

export const command = cleanUpCommand(
  'cleanExpiredCQ',
  'Remove consume queue files that hold nothing but deleted messages.',
  CleanExpiredConsumeQueue,
)
