import { ClientError } from '../client/index.ts'
import { ConnectionError, TimeoutError } from '../net/remoting-error.ts'
import { ResponseCode, type ResponseCodeName } from '../protocol/response-code.ts'
import { ResponseError } from '../protocol/response-error.ts'
import { AdminError } from './command.ts'

/** What users can do something about: the message says what. */
const FORESEEN = [AdminError, ClientError]

/** What to do about an answer, where it does not say so itself. */
const NEXT_STEPS: Partial<Record<ResponseCodeName, string>> = {
  TOPIC_NOT_EXIST: 'topicList shows the topics, updateTopic makes one',
  SUBSCRIPTION_GROUP_NOT_EXIST: 'consumerProgress shows the groups, updateSubGroup makes one',
  CONSUMER_NOT_ONLINE: 'none of its consumers is connected, start one',
  NO_PERMISSION: 'topicRoute shows what the topic allows, getBrokerConfig what the broker does',
  SYSTEM_BUSY: 'try again in a moment',
  SERVICE_NOT_AVAILABLE: 'brokerStatus shows the state of its store',
  QUERY_NOT_FOUND: 'look at how it is written',
}
const stepOf = new Map(
  Object.entries(NEXT_STEPS).map(([name, step]) => [ResponseCode[name as ResponseCodeName], step]),
)

/** What went wrong, and what to do about it, in one sentence. Null when nobody foresaw it: then it is a bug. */
export function failureText(error: unknown): string | null {
  if (error instanceof ResponseError) {
    const step = stepOf.get(error.code as ResponseCode)
    const next = step === undefined ? '' : ` (${step})`
    return `CODE: ${error.code}  DESC: ${oneLine(error.message)}${next}`
  }
  if (error instanceof ConnectionError) return `${error.message}: is it running? (clusterList)`
  if (error instanceof TimeoutError)
    return `${error.message}: it may be busy, or gone (clusterList)`
  return isForeseen(error) ? error.message : null
}

/** Remarks of Apache's brokers hold traces, and a link to its FAQ. */
function oneLine(text: string): string {
  return text.split('\n', 1)[0]!.trim()
}

function isForeseen(error: unknown): error is Error {
  return FORESEEN.some((kind) => error instanceof kind)
}
