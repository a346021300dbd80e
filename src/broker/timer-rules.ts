import { MessageProperty } from '../protocol/message-property.ts'
import { ResponseError } from '../protocol/response-error.ts'

/** What decides whether a timed message is taken, and for when. */
export interface TimerRules {
  timerWheelEnable: boolean
  timerPrecisionMs: number
  timerMaxDelaySec: number
}

const NUMBER = /^[+-]?\d{1,19}$/

/**
 * Begin of the slot that a message with such properties waits for; null when its time is over already, or it has
 * waited before, so that it goes where it belongs. Throws ResponseError when it is not taken (Apache 5.3.3,
 * HookUtils and SendMessageProcessor).
 */
export function timerOutMs(
  properties: ReadonlyMap<string, string>,
  rules: TimerRules,
  now: number,
): number | null {
  const { TIMER_OUT_MS, TIMER_DEL_UNIQKEY } = MessageProperty
  if (properties.has(TIMER_OUT_MS)) return null
  const deliverMs = deliverTime(properties, now)
  if (deliverMs === null) return null
  if (!rules.timerWheelEnable) throw notEnabled()
  const isOver = deliverMs <= now
  const isDeletion = properties.has(TIMER_DEL_UNIQKEY)
  const isTooFar = deliverMs - now > rules.timerMaxDelaySec * 1000
  if (Number.isNaN(deliverMs) || isTooFar || (isOver && isDeletion)) throw illegal(rules)
  return isOver ? null : outMsOf(deliverMs, rules.timerPrecisionMs)
}

/** Apache delivers a slot when it is over, so an exact multiple is one slot down. */
function outMsOf(deliverMs: number, precisionMs: number): number {
  const rest = deliverMs % precisionMs
  return deliverMs - (rest === 0 ? precisionMs : rest)
}

/** NaN when it is no number, null when none is given. */
function deliverTime(properties: ReadonlyMap<string, string>, now: number): number | null {
  const { TIMER_DELAY_SEC, TIMER_DELAY_MS, TIMER_DELIVER_MS } = MessageProperty
  const seconds = properties.get(TIMER_DELAY_SEC)
  if (seconds !== undefined) return now + numberIn(seconds) * 1000
  const delay = properties.get(TIMER_DELAY_MS)
  if (delay !== undefined) return now + numberIn(delay)
  const at = properties.get(TIMER_DELIVER_MS)
  return at === undefined ? null : numberIn(at)
}

function numberIn(text: string): number {
  return NUMBER.test(text) ? Number(text) : NaN
}

function illegal({ timerMaxDelaySec }: TimerRules): ResponseError {
  const most = timerMaxDelaySec * 1000
  return new ResponseError(
    'MESSAGE_ILLEGAL',
    `timer message illegal, the delay time should not be bigger than the max delay ${most}ms; or if set del msg, the delay time should be bigger than the current time`,
  )
}

function notEnabled(): ResponseError {
  const why = 'accurate timer message is not enabled, timerWheelEnable is false'
  return new ResponseError('SYSTEM_ERROR', why)
}
