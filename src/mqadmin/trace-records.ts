/**
 * What clients say of messages in the trace topic (Apache 5.3.3, TraceDataEncoder): records that end
 * with character 2, of fields that are separated by character 1. The first field says which they are.
 */
import type { ReceivedMessage } from '../client/index.ts'

export interface TraceRecord {
  type: 'Pub' | 'SubBefore' | 'SubAfter' | 'EndTransaction' | 'Recall'
  msgId: string
  /** Empty when the record does not name it. */
  group: string
  /** IP of whoever sent the trace. */
  clientHost: string
  /** ms; 0 when the record does not say. */
  timestamp: number
  costMs: number
  isSuccess: boolean
  /** Of consumers: the same in SubBefore and SubAfter. */
  requestId: string
}

/** The records of a message of the trace topic. Unknown ones are passed over. */
export function tracesOf(message: Pick<ReceivedMessage, 'body' | 'bornHost'>): TraceRecord[] {
  const clientHost = message.bornHost.replace(/:\d+$/, '')
  const lines = Buffer.from(message.body).toString().split('\u0002')
  const records = lines.flatMap((line) => read(line.split('\u0001'), clientHost) ?? [])
  const before = new Map(records.filter(isBefore).map((each) => [each.requestId, each]))
  return records.map((each) => (each.type === 'SubAfter' ? completed(each, before) : each))
}

function read(fields: readonly string[], clientHost: string): TraceRecord | null {
  const at = (nth: number) => fields[nth] ?? ''
  const base = { clientHost, requestId: '', timestamp: Number(at(1)), group: at(3) }
  const success = (text: string) => text === 'true'
  switch (at(0)) {
    case 'Pub': {
      const isSuccess = success(at(fields.length === 13 ? 12 : 13)) // older ones lack offsetMsgId
      return { ...base, type: 'Pub', msgId: at(5), costMs: Number(at(10)), isSuccess }
    }
    case 'SubBefore': {
      const [requestId, msgId] = [at(4), at(5)]
      return { ...base, type: 'SubBefore', msgId, costMs: 0, isSuccess: true, requestId }
    }
    case 'SubAfter':
      return {
        type: 'SubAfter',
        clientHost,
        requestId: at(1),
        msgId: at(2),
        costMs: Number(at(3)),
        isSuccess: success(at(4)),
        timestamp: Number(at(7)) || 0,
        group: at(8),
      }
    case 'EndTransaction':
      return { ...base, type: 'EndTransaction', msgId: at(5), costMs: 0, isSuccess: true }
    case 'Recall':
      return { ...base, type: 'Recall', msgId: at(5), costMs: 0, isSuccess: success(at(6)) }
    default:
      return null
  }
}

function isBefore({ type }: TraceRecord): boolean {
  return type === 'SubBefore'
}

/** What only the record from before the consumption says. */
function completed(after: TraceRecord, before: ReadonlyMap<string, TraceRecord>): TraceRecord {
  const earlier = before.get(after.requestId)
  if (earlier === undefined) return after
  const group = after.group === '' ? earlier.group : after.group
  return { ...after, group, timestamp: after.timestamp || earlier.timestamp }
}
