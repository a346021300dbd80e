/**
 * Load generator: how many sends or pulls a second does a broker answer, and how quickly?
 *
 * It runs in a process of its own and is as cheap per message as we can make it, because on a small
 * machine it takes its share of the processors from the broker it measures.
 */
import { LOAD_USAGE, parseLoadOptions } from './load/options.ts'
import { printReport } from './load/print-report.ts'
import { runLoad } from './load/run-load.ts'

const options = parseLoadOptions(process.argv.slice(2))
if (options.help) console.log(LOAD_USAGE)
else {
  const report = await runLoad(options)
  console.log(options.json ? JSON.stringify(report) : printReport(report))
}
