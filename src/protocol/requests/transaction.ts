import { bool, i32, i64, optional, orElse, text } from '../fields.ts'
import { RequestCode } from '../request-code.ts'
import { request } from '../request.ts'

/** What becomes of a half message: the transaction bits of the sys flag. Source: Apache 5.3.3, MessageSysFlag. */
export const TransactionOutcome = { UNKNOWN: 0, COMMIT: 8, ROLLBACK: 12 } as const

export const EndTransaction = request(RequestCode.END_TRANSACTION, {
  doc: 'The outcome of a transaction: its half message is delivered, or it is not. One-way.',
  header: {
    producerGroup: text('producerGroup'),
    topic: optional(text('topic')),
    /** Of the half message: its offset in the half queue, and its position in the log. */
    tranStateTableOffset: i64('tranStateTableOffset'),
    commitLogOffset: i64('commitLogOffset'),
    /** One of TransactionOutcome. */
    commitOrRollback: i32('commitOrRollback'),
    /** It is the answer to CHECK_TRANSACTION_STATE. */
    fromTransactionCheck: orElse(bool('fromTransactionCheck'), false),
    msgId: optional(text('msgId')),
    transactionId: optional(text('transactionId')),
    brokerName: optional(text('bname')),
  },
  reply: {},
  fails: ['SYSTEM_ERROR'],
})

export const CheckTransactionState = request(RequestCode.CHECK_TRANSACTION_STATE, {
  doc: 'Broker to producer: what became of this transaction? The half message is in the body. One-way; END_TRANSACTION answers it.',
  header: {
    topic: optional(text('topic')),
    tranStateTableOffset: i64('tranStateTableOffset'),
    commitLogOffset: i64('commitLogOffset'),
    /** The UNIQ_KEY of the message, as transactionId is. */
    msgId: optional(text('msgId')),
    transactionId: optional(text('transactionId')),
    offsetMsgId: optional(text('offsetMsgId')),
    brokerName: optional(text('bname')),
  },
  reply: {},
  fails: [],
})
