import { expect, test } from 'vitest'

import { Allowance, FrameCutter } from '../../src/net/frame-cutter.ts'
import { FrameError } from '../../src/protocol/frame.ts'
import { decodeCommand } from '../../src/protocol/remoting-command.ts'
import { frameOf, rawFrame } from './frames.ts'
import { goldenFrames, mutate, randomFrom } from './mutations.ts'
import { openStation } from './pair.ts'

const SEED = 20_261_124

test('ten thousand damaged frames are read or refused, in memory for what has arrived', () => {
  const golden = goldenFrames()
  const random = randomFrom(SEED)
  const allowance = new Allowance(1024 * 1024)
  const counts = { read: 0, refused: 0 }
  const sink = {
    onFrame(bytes: Buffer, start: number, end: number) {
      decodeCommand(bytes.subarray(start, end))
      counts.read++
    },
  }
  for (let round = 0; round < 10_000; round++) {
    const bytes = mutate(golden[random(golden.length)]!, random)
    const cutter = new FrameCutter(sink, allowance)
    const cut = random(bytes.length)
    try {
      cutter.feed(bytes.subarray(0, cut), cut, 1)
      cutter.feed(bytes.subarray(cut), bytes.length - cut, 1)
    } catch (error) {
      if (!(error instanceof FrameError)) throw error
      counts.refused++
    }
    expect(allowance.used).toBeLessThanOrEqual(2 * bytes.length + 256)
    cutter.close()
    expect(allowance.used).toBe(0)
  }
  expect(counts.read).toBeGreaterThan(1000)
  expect(counts.refused).toBeGreaterThan(1000)
})

test('a hundred connections that claim the longest frame cost what they send', async () => {
  const station = await openStation({ maxConnections: 101 })
  const before = process.memoryUsage().arrayBuffers
  for (let count = 0; count < 100; count++) {
    const liar = await station.peer()
    liar.write(Buffer.concat([rawFrame({ length: 16_777_212 }), Buffer.alloc(1000)]))
  }
  const honest = await station.peer()
  honest.write(frameOf(1))
  await station.until(() => station.frames.length === 1)
  expect(station.connections.count).toBe(101)
  expect(station.connections.allowance.used).toBeLessThanOrEqual(100 * 2048)
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 * 1024 * 1024)
  await station.stop()
})

test('incomplete frames over the allowance end the connection that sends more of them', async () => {
  const station = await openStation({ partialBytesMax: 100_000 })
  const first = await station.peer()
  first.write(Buffer.concat([rawFrame({ length: 16_000_000 }), Buffer.alloc(60_000)]))
  const second = await station.peer()
  second.write(Buffer.concat([rawFrame({ length: 16_000_000 }), Buffer.alloc(90_000)]))
  await station.until(() => station.connections.count === 1)
  const third = await station.peer()
  third.write(frameOf(1))
  await station.until(() => station.frames.length === 1)
  await station.stop()
})
