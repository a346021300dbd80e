import type { Handlers } from '../../net/handlers.ts'
import { EndTransaction } from '../../protocol/requests/transaction.ts'
import type { Transactions } from '../transactions.ts'

/** What producers say became of their transactions. */
export function registerTransactionHandlers(handlers: Handlers, transactions: Transactions): void {
  handlers.on(EndTransaction, (header) => transactions.end(header))
}
