import { Presets, SingleBar } from 'cli-progress'
import type { Progress } from './progress.ts'

/** A bar on `stream`, gone when it is disposed of. */
export function openBar(total: number, what: string, stream: NodeJS.WritableStream): Progress {
  const format = `${what} {bar} {value}/{total}, {eta_formatted} left`
  const bar = new SingleBar({ format, stream, clearOnComplete: true }, Presets.shades_classic)
  bar.start(total, 0)
  return { show: (done) => bar.update(done), [Symbol.dispose]: () => bar.stop() }
}
