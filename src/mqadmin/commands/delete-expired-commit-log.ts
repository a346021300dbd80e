import { DeleteExpiredCommitLog } from '../../protocol/requests/broker.ts'
import { cleanUpCommand } from '../clean-up.ts'

export const command = cleanUpCommand(
  'deleteExpiredCommitLog',
  'Delete log files past fileReservedTime now.',
  DeleteExpiredCommitLog,
)
