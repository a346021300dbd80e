/** How far the check has come: a bar on a terminal, nothing elsewhere. */
export interface Progress {
  show(doneBytes: number, totalBytes: number): void
  close(): void
}

const NOTHING: Progress = { show: () => {}, close: () => {} }
const MIB = 2 ** 20

/** On stderr, so that what is found can be piped. */
export async function openProgress(isQuiet: boolean): Promise<Progress> {
  if (isQuiet || !process.stderr.isTTY) return NOTHING
  const { SingleBar, Presets } = await import('cli-progress')
  const format = '{bar} {percentage}% {value}/{total} MiB, {eta_formatted} left'
  const bar = new SingleBar({ format, clearOnComplete: true }, Presets.shades_classic)
  let isStarted = false
  return {
    show: (done, total) => {
      if (!isStarted) bar.start(Math.round(total / MIB), 0)
      isStarted = true
      bar.update(Math.round(done / MIB))
    },
    close: () => bar.stop(),
  }
}
