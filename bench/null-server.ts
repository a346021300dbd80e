/**
 * Null server: what does the generator itself cost? Point bench/load.ts at it with --no-create.
 *
 *   node bench/null-server.ts [PORT]     prints `listening on PORT`
 */
import { startNullServer } from './lab/null-server.ts'

const { port } = await startNullServer(Number(process.argv[2] ?? 0))
console.log(`listening on ${port}`)
