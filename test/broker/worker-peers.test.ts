import { expect, test } from 'vitest'
import { Handlers } from '../../src/net/handlers.ts'
import { encodeCommand, responseTo } from '../../src/protocol/remoting-command.ts'
import { ResponseCode } from '../../src/protocol/response-code.ts'
import { Signal } from '../../src/ring/signal.ts'
import { JournalError } from '../../src/broker/metadata-journal.ts'
import { LinkType, linkEnds, ThreadLink } from '../../src/broker/thread-link.ts'
import { WorkerPeers } from '../../src/broker/worker-peers.ts'
import { MemoryLog } from './memory-log.ts'

test('a topic that a full disk refuses is answered, and the broker lives on', async () => {
  const [ours, theirs] = linkEnds(64 * 1024)
  for (const { port } of [ours, theirs]) port.unref()
  const signal = new Signal(new Int32Array(new SharedArrayBuffer(64)), 0)
  const [main, worker] = [new ThreadLink(ours, signal), new ThreadLink(theirs, signal)]
  const errors: unknown[] = []
  const peers = new WorkerPeers(main, {
    handlers: new Handlers(),
    onClosed: () => undefined,
    onResponse: () => undefined,
    onCommits: () => undefined,
    onAsk: () => Promise.reject(new JournalError('ENOSPC: no space left on device')),
    onError: (error) => errors.push(error),
    log: new MemoryLog(),
  })

  const payload = Buffer.from(JSON.stringify({ kind: 'group', group: 'G' }))
  worker.send({ type: LinkType.ASK, first: 7, second: 0, payload })
  peers.drain()
  await new Promise((resolve) => setImmediate(resolve))

  const answers: unknown[] = []
  worker.drain((type, id, code, remark) => {
    answers.push({ type, id, code, remark: remark.toString() })
  })
  expect(errors).toEqual([])
  expect(answers).toEqual([
    {
      type: LinkType.ANSWERED,
      id: 7,
      code: ResponseCode.SYSTEM_ERROR,
      remark: 'JournalError: ENOSPC: no space left on device',
    },
  ])
})

test('what a client answers is handed on with its connection', () => {
  const [ours, theirs] = linkEnds(64 * 1024)
  for (const { port } of [ours, theirs]) port.unref()
  const signal = new Signal(new Int32Array(new SharedArrayBuffer(64)), 0)
  const [main, worker] = [new ThreadLink(ours, signal), new ThreadLink(theirs, signal)]
  const answers: unknown[] = []
  const peers = new WorkerPeers(main, {
    handlers: new Handlers(),
    onClosed: () => undefined,
    onResponse: (_, { opaque, remark }) => answers.push({ opaque, remark }),
    onCommits: () => undefined,
    onAsk: () => Promise.resolve(),
    onError: (error) => answers.push(error),
    log: new MemoryLog(),
  })
  const at = { first: 3, second: 1 }
  worker.send({ type: LinkType.OPENED, ...at, payload: Buffer.from('127.0.0.1:5') })
  const answer = responseTo({ opaque: 42, serializeType: 0 }, ResponseCode.SUCCESS, 'here')
  worker.send({ type: LinkType.REQUEST, ...at, payload: encodeCommand(answer).subarray(4) })
  peers.drain()
  expect(answers).toEqual([{ opaque: 42, remark: 'here' }])
})
