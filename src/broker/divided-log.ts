import type { Clock } from '../base/clock.ts'
import { fewProblems } from '../log/few-problems.ts'
import type { Log } from '../log/log.ts'
import type { Disagreement } from './subscription-agreement.ts'

/** A line when the members of a group begin to subscribe to different things, and one when that ends. */
export function dividedLog(
  log: Log,
  clock: Clock,
): (group: string, disagreement: Disagreement | null) => void {
  const warn = fewProblems(
    (problem, fields) => log.warn(fields ?? {}, problem),
    () => clock.now(),
  )
  return (group, disagreement) => {
    if (disagreement === null) log.info({ group }, 'the consumers of a group subscribe to the same')
    else warn(DIVIDED, { group, ...disagreement })
  }
}

const DIVIDED =
  'the consumers of a group subscribe to different things: the broker goes by the last heartbeat, and messages that only others want are passed over'
