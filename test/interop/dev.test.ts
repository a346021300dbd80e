import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, inject, test } from 'vitest'
import { KIND_UNDER_TEST, ServerProcess } from './broker-process.ts'
import { expectExactlyOnce } from './checks.ts'
import { isFree } from './free-ports.ts'
import { JavaProgram } from './java-program.ts'

// Name server, broker, its port for old clients, its port for slaves.
const DEFAULT_PORTS = [9876, 10911, 10909, 10912]
const areFree = (await Promise.all(DEFAULT_PORTS.map(isFree))).every(Boolean)
const isOurs = KIND_UNDER_TEST === 'ringmq'
if (isOurs && !areFree)
  console.error(`SKIPPED: npm start. One of ${DEFAULT_PORTS.join()} is taken.`)

describe.skipIf(inject('java') === null || !isOurs || !areFree)('what npm start runs', () => {
  let folder: string
  let server: ServerProcess
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ringmq-interop-'))
    server = await ServerProcess.startDev(folder)
  })
  afterAll(async () => {
    await server?.kill()
    await rm(folder, { recursive: true })
  })

  test('serves a client that knows nothing but the default port', async () => {
    const options = { nameServer: '127.0.0.1:9876', topic: 'TopicTest' }
    const count = 200
    const producer = new JavaProgram({
      program: 'Produce',
      home: folder,
      options: { ...options, count },
    })
    await producer.finish()
    const consume = { ...options, group: 'first-steps' }
    const consumer = new JavaProgram({ program: 'Consume', home: folder, options: consume })
    await consumer.untilCount('message', count)
    await consumer.stop()
    expectExactlyOnce(consumer.of('message'), producer.of('sent'))
  })
})
