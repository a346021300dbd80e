import { edits, type Mutation } from './mutation.ts'

const memory = edits('src/store/log-memory.ts')
const appender = edits('src/store/log-appender.ts')
const writer = edits('src/store/log-writer.ts')
const flush = edits('src/store/flush-agent.ts')

/** What appending, writing and making files need. */
export const LOG_MUTATIONS: readonly Mutation[] = [
  {
    name: 'a blank record is put byte by byte at its wrapped places',
    scenario: 'log',
    seed: 282,
    edits: [
      appender(
        'window.view.setInt32(index, fileEnd - position)\n    window.view.setInt32(index + 4, BLANK_MAGIC)\n    window.copyOverrun(position, BLANK_LENGTH)',
        `const blank = Buffer.alloc(BLANK_LENGTH)
    blank.writeInt32BE(fileEnd - position, 0)
    blank.writeInt32BE(BLANK_MAGIC, 4)
    for (let i = 0; i < BLANK_LENGTH; i++) window.bytes[window.index(position + i)] = blank[i]
    void index`,
      ),
    ],
  },
  {
    name: 'a file ends without looking for room',
    scenario: 'log',
    seed: 3,
    edits: [appender('if (!this.#window.makeRoom(fileEnd)) return AppendStatus.NO_ROOM\n', '')],
  },
  {
    name: 'the record behind a file end does not look for room',
    scenario: 'log',
    seed: 1,
    edits: [appender('if (!this.#window.makeRoom(end)) return AppendStatus.NO_ROOM\n', '')],
  },
  {
    name: 'a record may take the place of the blank',
    scenario: 'log',
    seed: 10,
    edits: [
      appender(
        'if (source.length + BLANK_LENGTH > fileEnd - position) {',
        'if (source.length > fileEnd - position) {',
      ),
    ],
  },
  {
    name: 'appended is published before the record is encoded',
    scenario: 'log',
    seed: 45,
    edits: [
      appender(
        'source.encodeInto(this.#window, index)',
        'shared.appended.publish(position + source.length)\n    source.encodeInto(this.#window, index)',
      ),
    ],
  },
  {
    name: 'appended is published before the overrun is copied',
    scenario: 'log',
    seed: 220,
    edits: [
      appender(
        'this.#window.copyOverrun(position, source.length)',
        'shared.appended.publish(position + source.length)\n    this.#window.copyOverrun(position, source.length)',
      ),
    ],
  },
  {
    name: 'appends do not lock',
    scenario: 'log',
    seed: 1,
    edits: [
      appender('this.#shared.appendLock.acquire()\n', ''),
      appender('this.#shared.appendLock.release()\n', ''),
    ],
  },
  {
    name: 'the append lock is given back before the record is in',
    scenario: 'log',
    seed: 1,
    edits: [
      appender('this.#shared.appendLock.release()\n', ''),
      appender(
        'source.encodeInto(this.#window, index)',
        'shared.appendLock.release()\n    source.encodeInto(this.#window, index)',
      ),
    ],
  },
  {
    name: 'the next queue offset is not published',
    scenario: 'log',
    seed: 1,
    edits: [
      appender('shared.rows.publishNext(source.row, source.queueOffset + source.count)\n', ''),
    ],
  },
  {
    name: 'time may go back',
    scenario: 'log',
    seed: 1,
    edits: [appender('Math.max(this.#clock.now(), last)', 'this.#clock.now()')],
  },
  {
    name: 'the store timestamp is published before the record',
    scenario: 'log',
    seed: 17,
    edits: [
      appender(
        'source.encodeInto(this.#window, index)',
        'shared.storeTimestamp.publish(source.storeTimestamp)\n    source.encodeInto(this.#window, index)',
      ),
    ],
  },
  {
    name: 'the writer reads the position before the time',
    scenario: 'log',
    seed: 350,
    edits: [
      writer('const timestamp = this.#shared.storeTimestamp.value()\n', ''),
      writer(
        'const end = this.#shared.appended.value()\n',
        'const end = this.#shared.appended.value()\n    const timestamp = this.#shared.storeTimestamp.value()\n',
      ),
    ],
  },
  {
    name: 'an append does not wait for its file',
    scenario: 'log',
    seed: 4,
    edits: [appender('if (!this.#hasFile(end)) return AppendStatus.NO_FILE\n', '')],
  },
  {
    name: 'who leaves the writing to flush does not rouse it',
    scenario: 'log',
    seed: 1,
    edits: [
      memory(
        'Atomics.store(this.#words, WRITE_ASKED, 1)\n    this.signalOf(Thread.FLUSH).rouse()',
        'Atomics.store(this.#words, WRITE_ASKED, 1)',
      ),
    ],
  },
  {
    name: 'flush takes the ask after it has written',
    scenario: 'log',
    seed: 1,
    edits: [
      flush(
        'if (!this.#shared.takeWriteAsked()) return 0\n    this.#writer.write()\n',
        'this.#writer.write()\n    if (!this.#shared.takeWriteAsked()) return 0\n',
      ),
    ],
  },
  {
    name: 'writes do not lock',
    scenario: 'log',
    seed: 4,
    edits: [
      writer('this.#shared.writeLock.acquire()\n', ''),
      writer('this.#shared.writeLock.release()\n', ''),
    ],
  },
  {
    name: 'written is read before the write lock is taken',
    scenario: 'log',
    seed: 4,
    edits: [
      writer(
        'this.#shared.writeLock.acquire()\n',
        'const before = this.#shared.written.value()\n    this.#shared.writeLock.acquire()\n',
      ),
      writer('const isDone = this.#writeLocked()', 'const isDone = this.#writeLocked(before)'),
      writer('#writeLocked(): boolean {', '#writeLocked(before: number): boolean {'),
      writer('let position = this.#shared.written.peek()', 'let position = before'),
    ],
  },
  {
    name: 'written is published before the bytes are in the file',
    scenario: 'log',
    seed: 1,
    edits: [
      writer('if (!this.#writePiece(position, pieceEnd)) return false\n', ''),
      writer(
        'this.#shared.written.publish(pieceEnd)\n',
        'this.#shared.written.publish(pieceEnd)\n      if (!this.#writePiece(position, pieceEnd)) return false\n',
      ),
    ],
  },
  {
    name: 'one write goes across the window end',
    scenario: 'log',
    seed: 3,
    edits: [
      writer(
        'return Math.min(end, windowEnd, this.#files.endOfFile(position))',
        'void windowEnd\n    return Math.min(end, this.#files.endOfFile(position))',
      ),
    ],
  },
  {
    name: 'one write goes across the file end',
    scenario: 'log',
    seed: 3,
    edits: [
      writer(
        'return Math.min(end, windowEnd, this.#files.endOfFile(position))',
        'return Math.min(end, windowEnd)',
      ),
    ],
  },
  {
    name: 'a write that the disk refused counts as done',
    scenario: 'log',
    seed: 5,
    edits: [
      writer('this.#onError(error)\n      return false', 'this.#onError(error)\n      return true'),
    ],
  },
  {
    name: 'a shortage ends without an exchange',
    scenario: 'faults',
    seed: 7,
    edits: [
      memory(
        'Atomics.and(this.#words, FAULT, ~Fault.NO_SPACE)',
        '{ const bits = this.refusal() & ~Fault.NO_SPACE\n Atomics.store(this.#words, FAULT, bits) }',
      ),
    ],
  },
  {
    name: 'a wait for a file looks at created before it looks at its low word',
    scenario: 'log',
    seed: 127,
    edits: [
      memory(
        'const low = Atomics.load(this.#words, CREATED + 1) // before the check: a move ends the wait\n',
        '',
      ),
      memory(
        'this.signalOf(Thread.FLUSH).rouse()\n      Atomics.wait(',
        'this.signalOf(Thread.FLUSH).rouse()\n      const low = Atomics.load(this.#words, CREATED + 1)\n      Atomics.wait(',
      ),
    ],
  },
  {
    name: 'nobody is told of a new file',
    scenario: 'log',
    seed: 2,
    edits: [
      memory(
        'this.created.publish(position)\n    Atomics.notify(this.#words, CREATED + 1)',
        'this.created.publish(position)',
      ),
    ],
  },
  {
    name: 'flush is not told that a file is missing',
    scenario: 'log',
    seed: 3,
    edits: [memory('this.signalOf(Thread.FLUSH).rouse()\n      Atomics.wait(', 'Atomics.wait(')],
  },
  {
    name: 'a wait for a file does not look at the poison word',
    scenario: 'poison',
    seed: 1,
    edits: [memory('this.poison.check() // nobody makes files any more\n', '')],
  },
  {
    name: 'a broken thread wakes nobody',
    scenario: 'poison',
    seed: 1,
    edits: [
      memory(
        'this.signalOf(thread).rouse()\n    for (const lock',
        'void thread\n    for (const lock',
      ),
    ],
  },
  {
    name: 'a throw gives the append lock back',
    scenario: 'broken-thread',
    seed: 25,
    edits: [
      appender(
        'const status = this.#appendWith(copies, source)\n    this.#shared.appendLock.release()\n    return status',
        'try {\n      return this.#appendWith(copies, source)\n    } finally {\n      this.#shared.appendLock.release()\n    }',
      ),
    ],
  },
  {
    name: 'a throw of ours in a write counts as the disk refusing',
    scenario: 'broken-thread',
    seed: 1,
    edits: [writer('if (!isDiskError(error)) throw error', 'void error')],
  },
]
