/** Reports within one window of time that are passed on. */
const MAX = 20
const WINDOW_MS = 10_000

export type Report = (problem: string, error: unknown) => void

/**
 * Passes on the first reports of each ten seconds, and how many were left out once there is another:
 * whoever can cause a problem could otherwise fill the disk with lines about it.
 */
export function fewProblems(report: Report, now: () => number): Report {
  let windowEnd = 0
  let passed = 0
  let leftOut = 0
  return (problem, error) => {
    if (now() >= windowEnd) {
      if (leftOut > 0) report(`${leftOut} more problems like the last ones were not logged`, null)
      windowEnd = now() + WINDOW_MS
      passed = leftOut = 0
    }
    if (passed === MAX) leftOut++
    else {
      passed++
      report(problem, error)
    }
  }
}
