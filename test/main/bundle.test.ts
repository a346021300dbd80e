/** The bundled program, made and run as `npm start` does, on free ports. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { RunningProgram } from './running-program.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
let folder: string
let bundle: string

beforeAll(() => {
  mkdirSync(join(root, '.cache'), { recursive: true })
  folder = mkdtempSync(join(root, '.cache', 'bundle-test-')) // packages are found from below the root
  bundle = join(folder, 'program')
  execFileSync(process.execPath, [join(root, 'scripts', 'bundle.ts'), bundle])
})
afterAll(() => rmSync(folder, { recursive: true }))

test('every program and every thread is in it', () => {
  const servers = ['dev', 'broker', 'namesrv']
  const tools = ['mqadmin', 'fsck', 'quickstart-producer', 'quickstart-consumer']
  const programs = [...servers, ...tools].map((name) => `src/main/${name}.js`)
  const sources = readdirSync(join(root, 'workers'))
  const threads = sources.map((name) => `workers/${name.replace(/\.ts$/, '.js')}`)
  const missing = [...programs, ...threads].filter((path) => !existsSync(join(bundle, path)))
  expect(missing).toEqual([])
})

test('it starts all threads from the bundle, says when it is ready and stops on SIGTERM', async () => {
  const words = [
    `RINGMQ_DATA=${join(folder, 'data')}`,
    'RINGMQ_NAMESRV_PORT=0',
    'RINGMQ_BROKER_PORT=0',
    'RINGMQ_LOG_LEVEL=warn',
    process.execPath,
    join(bundle, 'src/main/dev.js'),
  ]
  const program = new RunningProgram('env', words, folder)
  await program.untilPrinted(
    /RingMQ is ready: name server 127\.0\.0\.1:\d+, broker 127\.0\.0\.1:\d+/,
  )
  program.process.kill('SIGTERM')
  expect(await program.ended).toMatchObject({ exitCode: 143, stderr: '' })
})
