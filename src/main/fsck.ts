/** What `ringmq fsck` runs, docs/fsck.md. */
import { delayLevels, delaysIn } from '../config/delay-levels.ts'
import { parseFsck, runFsck, USAGE } from '../fsck/command.ts'
import { FsckExit } from '../fsck/report.ts'
import { endWithError } from './stop-signals.ts'

const [, , , ...argv] = process.argv // node, this file, the name in the list of processes
const isHelp = argv.includes('--help') || argv.includes('-h')
const given = isHelp ? null : parseFsck(argv)
const levels = given?.delayLevels ?? null
const { allowed, parse } = delayLevels({ doc: '' })
if (levels !== null && parse(levels) === undefined) {
  console.log(`--delay-levels ${levels}: allowed are ${allowed}`)
  process.exitCode = FsckExit.CANNOT_CHECK
} else if (given === null) {
  console.log(USAGE)
  process.exitCode = isHelp ? FsckExit.CLEAN : FsckExit.CANNOT_CHECK
} else {
  try {
    process.exitCode = await runFsck(
      given,
      (line) => console.log(line),
      levels === null ? undefined : delaysIn(levels),
    )
  } catch (error) {
    endWithError(error)
  }
}
