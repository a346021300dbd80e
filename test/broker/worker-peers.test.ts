import { expect, test } from 'vitest'
import { Handlers } from '../../src/net/handlers.ts'
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
