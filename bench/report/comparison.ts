import type { Outcome } from '../regimes/regime.ts'
import { perMillion } from './outcome-table.ts'
import { median, summarizeRatios, type RatioSummary } from './ratios.ts'
import { formatNumber, formatTable } from './table.ts'

/** What one pair measured: the same regimes on both sides, one directly after the other. */
export interface Pair {
  reference: Outcome[]
  subject: Outcome[]
}

/** One figure of one regime over all pairs. `ratio` is subject / reference. */
export interface ComparedFigure {
  regime: string
  figure: string
  reference: number | null
  subject: number | null
  ratio: RatioSummary | null
}

/** What is compared, in the units that are printed. Null where a regime has no such figure. */
const FIGURES: Record<string, (outcome: Outcome) => number | null> = {
  'messages/s': ({ messagesPerSecond }) => messagesPerSecond,
  'p50 ms': ({ times }) => times && times.p50 / 1000,
  'p99 ms': ({ times }) => times && times.p99 / 1000,
  'p99.9 ms': ({ times }) => times && times.p999 / 1000,
  'p99.99 ms': ({ times }) => times && times.p9999 / 1000,
  'broker CPU-s/M': ({ broker, messages }) => perMillion(broker.cpuSeconds, messages),
  'broker CPU %': ({ broker }) => (broker.cpuSeconds / broker.seconds) * 100,
  'RSS MiB': ({ broker }) => broker.residentBytes / 2 ** 20,
  'RSS without files MiB': ({ broker }) => broker.anonymousBytes / 2 ** 20,
  'switches/s': ({ broker }) => broker.contextSwitches / broker.seconds,
}

/** Every figure that at least one pair has on both sides; medians per side, ratios pair by pair. */
export function comparePairs(pairs: Pair[]): ComparedFigure[] {
  const regimes = pairs[0]?.reference.map(({ regime }) => regime) ?? []
  return regimes.flatMap((regime) => compareRegime(regime, pairs))
}

function compareRegime(regime: string, pairs: Pair[]): ComparedFigure[] {
  const reference = pairs.map((pair) => outcomeNamed(regime, pair.reference))
  const subject = pairs.map((pair) => outcomeNamed(regime, pair.subject))
  const figures = Object.entries(FIGURES).map(([figure, read]) => {
    const [theirs, ours] = [reference.map(read), subject.map(read)]
    const ratio = summarizeRatios(ours, theirs)
    return { regime, figure, reference: middle(theirs), subject: middle(ours), ratio }
  })
  return figures.filter(({ ratio }) => ratio !== null)
}

function outcomeNamed(name: string, outcomes: Outcome[]): Outcome {
  const found = outcomes.find(({ regime }) => regime === name)
  if (!found) throw new Error(`a pair without ${name}`)
  return found
}

function middle(values: (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : median(known)
}

/** `labels` name the reference and the subject. */
export function comparisonTable(figures: ComparedFigure[], labels: [string, string]): string {
  const header = ['regime', 'figure', ...labels, 'ratio', 'min', 'max', 'pairs']
  return formatTable(header, figures.map(figureRow))
}

function figureRow({ regime, figure, reference, subject, ratio }: ComparedFigure): string[] {
  return [
    regime,
    figure,
    formatNumber(reference),
    formatNumber(subject),
    formatNumber(ratio?.median),
    formatNumber(ratio?.min),
    formatNumber(ratio?.max),
    formatNumber(ratio?.pairs),
  ]
}
