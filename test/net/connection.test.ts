import { once } from 'node:events'
import type { Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'

import { frameOf, rawFrame } from './frames.ts'
import { openStation, type Station } from './pair.ts'

let station: Station
afterEach(() => station.stop())

const withoutPrefix = (frame: Buffer) => frame.subarray(4)
const MEBIBYTE = 1024 * 1024

/** Reads until the peer has `length` bytes. */
async function read(peer: Socket, length: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let got = 0
  for await (const chunk of peer.iterator({ destroyOnReturn: false })) {
    chunks.push(chunk)
    got += chunk.length
    if (got >= length) break
  }
  return Buffer.concat(chunks)
}

describe.each([
  ['with the shared read buffer', true],
  ["with 'data' events", false],
])('%s', (_, sharedRead) => {
  test('the first frame may be split at any byte', async () => {
    station = await openStation({ sharedRead })
    const frame = frameOf(3, 20)
    for (let cut = 1; cut < frame.length; cut++) {
      const peer = await station.peer()
      peer.setNoDelay(true)
      peer.write(frame.subarray(0, cut))
      const { lastActive } = station.last()
      await new Promise((resolve) => setImmediate(resolve))
      peer.write(frame.subarray(cut))
      await station.until(() => station.frames.length === cut)
      expect(station.frames.at(-1)).toEqual(withoutPrefix(frame))
      expect(station.last().lastActive).toBeGreaterThanOrEqual(lastActive)
      peer.destroy()
    }
  })

  test('frames of many connections do not mix', async () => {
    station = await openStation({ sharedRead })
    const peers = await Promise.all(Array.from({ length: 10 }, () => station.peer()))
    const sent: string[] = []
    for (let round = 0; round < 5; round++) {
      for (const [index, peer] of peers.entries()) {
        const frame = frameOf(index * 100 + round, 70_000)
        sent.push(withoutPrefix(frame).toString('latin1'))
        peer.write(frame)
      }
    }
    await station.until(() => station.frames.length === sent.length)
    const got = station.frames.map((frame) => frame.toString('latin1'))
    expect(got.toSorted()).toEqual(sent.toSorted())
    expect(station.connections.allowance.used).toBe(0)
  })

  test('a pause holds frames back, those in the same chunk too, and resume brings them', async () => {
    const taken: number[] = []
    station = await openStation({
      sharedRead,
      handler: {
        onFrame(connection) {
          taken.push(station.frames.length)
          if (station.frames.length === 2) connection.pause()
        },
      },
    })
    const peer = await station.peer()
    peer.write(Buffer.concat([1, 2, 3, 4].map((opaque) => frameOf(opaque))))
    await station.until(() => taken.length === 2)
    peer.write(frameOf(5))
    await new Promise((resolve) => setImmediate(resolve))
    expect(taken).toHaveLength(2)
    station.last().resume()
    await station.until(() => taken.length === 5)
  })

  test('the peer may close, and the handler hears it once', async () => {
    let closes = 0
    station = await openStation({ sharedRead, handler: { onClose: () => void closes++ } })
    const peer = await station.peer()
    peer.end()
    await station.until(() => closes === 1)
    expect(station.last().closeReason).toBe('closed by the peer')
    expect(station.connections.count).toBe(0)
  })
})

test('an answer that the kernel takes at once frees its buffer at once', async () => {
  station = await openStation()
  const peer = await station.peer()
  expect(station.last().send(frameOf(1))).toBe(true)
  expect(station.last().pendingBytes).toBe(0)
  expect(await read(peer, frameOf(1).length)).toEqual(frameOf(1))
})

test('bytes that a slow reader leaves are counted until they are handed over', async () => {
  station = await openStation({ outputHardMax: 64 * MEBIBYTE })
  const peer = await station.peer()
  const connection = station.last()
  const bytes = Buffer.alloc(16 * MEBIBYTE, 1)
  expect(connection.send(bytes)).toBe(false)
  expect(connection.sent).toBe(bytes.length)
  expect(connection.handedOver).toBeLessThan(bytes.length)
  const got = read(peer, bytes.length)
  await station.until(() => connection.pendingBytes === 0)
  expect(connection.handedOver).toBe(bytes.length)
  expect((await got).length).toBe(bytes.length)
  expect(connection.send(frameOf(1))).toBe(true)
})

test('corked slices leave together and in order', async () => {
  station = await openStation()
  const peer = await station.peer()
  const connection = station.last()
  const slices = Array.from({ length: 300 }, (_, index) => Buffer.alloc(11, index & 0xff))
  connection.cork()
  for (const slice of slices) expect(connection.send(slice)).toBe(false)
  expect(connection.uncork()).toBe(true)
  expect(await read(peer, 3300)).toEqual(Buffer.concat(slices))
})

test('who does not read its answers is not read either, until it has', async () => {
  const answer = Buffer.alloc(MEBIBYTE)
  station = await openStation({
    outputMax: 2 * MEBIBYTE,
    handler: { onFrame: (connection) => void connection.send(answer) },
  })
  const peer = await station.peer()
  const count = 60
  peer.write(Buffer.concat(Array.from({ length: count }, (_, index) => frameOf(index))))
  await station.until(() => station.last().pendingBytes > 2 * MEBIBYTE)
  expect(station.last().pendingBytes).toBeLessThan(20 * MEBIBYTE)
  expect(station.frames.length).toBeLessThan(count)
  const got = await read(peer, count * MEBIBYTE)
  expect(got.length).toBe(count * MEBIBYTE)
  expect(station.frames.length).toBe(count)
})

test('who lets more than the hard limit pile up is cut off', async () => {
  station = await openStation({ outputHardMax: 8 * MEBIBYTE })
  await station.peer()
  const connection = station.last()
  for (let round = 0; round < 40 && connection.isOpen; round++) {
    connection.send(Buffer.alloc(MEBIBYTE))
  }
  expect(connection.closeReason).toMatch(/reads too slowly/)
  await station.until(() => station.connections.count === 0)
  expect(connection.send(frameOf(1))).toBe(true) // nobody needs it
})

test('an incomplete frame is given up after its deadline', async () => {
  station = await openStation({ partialMs: 40 })
  const peer = await station.peer()
  peer.write(frameOf(1).subarray(0, 10))
  await station.until(() => station.connections.count === 0)
  expect(station.last().closeReason).toMatch(/incomplete/)
  expect(station.connections.allowance.used).toBe(0)
})

test('a connection on which nothing moves is closed', async () => {
  station = await openStation({ idleMs: 40 })
  const peer = await station.peer()
  peer.resume()
  await once(peer, 'close')
  await station.until(() => station.connections.count === 0)
  expect(station.last().closeReason).toMatch(/idle/)
})

test('bytes that are no frame end only the connection they came on', async () => {
  station = await openStation()
  const honest = await station.peer()
  const { id } = station.last()
  const liar = await station.peer()
  liar.write(rawFrame({ length: -5 }))
  liar.resume()
  await once(liar, 'close')
  expect(station.last().closeReason).toMatch(/frame length -5/)
  honest.write(frameOf(1))
  await station.until(() => station.frames.length === 1)
  expect([...station.connections].map((connection) => connection.id)).toEqual([id])
})

test('closeWhenSent lets the peer read what was sent', async () => {
  station = await openStation()
  const peer = await station.peer()
  const bytes = Buffer.alloc(8 * MEBIBYTE, 7)
  station.last().send(bytes)
  station.last().closeWhenSent('told to go')
  expect((await read(peer, bytes.length)).equals(bytes)).toBe(true)
  await station.until(() => station.connections.count === 0)
})

test('it knows its peer as text and as bytes', async () => {
  station = await openStation()
  const peer = await station.peer()
  expect(station.last().remoteAddress).toBe(`127.0.0.1:${peer.localPort}`)
  expect([...station.last().remoteHost]).toEqual([127, 0, 0, 1])
  expect(station.last().remotePort).toBe(peer.localPort)
  expect(station.last().localAddress).toBe(`127.0.0.1:${station.port}`)
})

test('connections of a thread read into one buffer', async () => {
  const memory = new Set<unknown>()
  const onFrame = (_: unknown, bytes: Buffer) => void memory.add(bytes.buffer)
  station = await openStation({ handler: { onFrame } })
  for (let index = 0; index < 3; index++) (await station.peer()).write(frameOf(index))
  await station.until(() => station.frames.length === 3)
  expect(memory.size).toBe(1)
})

test('a peer that takes nothing for the idle time is closed, however much is sent to it', async () => {
  station = await openStation({ idleMs: 60, outputHardMax: 1024 * MEBIBYTE })
  await station.peer()
  const connection = station.last()
  connection.send(Buffer.alloc(32 * MEBIBYTE))
  while (connection.isOpen) {
    connection.send(frameOf(1))
    await new Promise((resolve) => setImmediate(resolve))
  }
  expect(connection.closeReason).toMatch(/idle/)
})
