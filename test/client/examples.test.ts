/** Runs what docs/client.md shows, against a broker of ours. */
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { useCluster } from '../mqadmin/open-cluster.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const page = readFileSync(join(root, 'docs', 'client.md'), 'utf8')
const run = promisify(execFile)

/** What an example prints last, by its heading. */
const PRINTS: Record<string, RegExp> = {
  Send: /^sent [\dA-F]{32}$/,
  Consume: /^got (one|two) at try 0$/,
  'Consume in order': /^1, 2, 3$/,
  Broadcast: /^each member got it$/,
  'Let brokers share out': /^popped from -1$/,
  Transactions: /^order-7 is paid: COMMIT$/,
}

const examples = page
  .split(/^## /m)
  .map((section) => [section.split('\n')[0]!, /```ts\n(.*?)```/s.exec(section)?.[1]] as const)
  .filter((each): each is [string, string] => each[1] !== undefined)

const cluster = useCluster()
let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ringmq-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

test('every example is expected to print something', () => {
  expect(examples.map(([heading]) => heading)).toEqual(Object.keys(PRINTS))
})

test.each(examples)('%s', async (heading, code) => {
  const file = join(folder, `${heading.replaceAll(' ', '-')}.mts`)
  const door = JSON.stringify(join(root, 'src', 'client', 'index.ts'))
  writeFileSync(file, code.replaceAll("'./src/client/index.ts'", door))
  const env = { ...process.env, NAMESRV_ADDR: cluster.current.namesrv.address, HOME: folder }
  const { stdout, stderr } = await run(process.execPath, [file], { env })
  expect(stderr).toBe('')
  expect(stdout.trimEnd().split('\n').at(-1)).toMatch(PRINTS[heading]!)
})
