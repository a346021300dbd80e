import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../src/base/clock.ts'
import { systemDisk } from '../../src/base/disk.ts'
import { DispatchAgent } from '../../src/store/dispatch-agent.ts'
import { KeyIndex } from '../../src/store/key-index.ts'
import { AppendStatus, LogAppender } from '../../src/store/log-appender.ts'
import { LogFiles } from '../../src/store/log-files.ts'
import { allocateLogMemory, LogShared, Thread } from '../../src/store/log-memory.ts'
import { LogWindow } from '../../src/store/log-window.ts'
import { LogWriter } from '../../src/store/log-writer.ts'
import { MessageRecord, RecordFields } from '../../src/store/message-record.ts'
import { REPEATS, sink, type MicroCase, type MicroSuite } from './suite.ts'

const MEBIBYTE = 2 ** 20
const FILE_SIZE = 256 * MEBIBYTE
const FILES = 12
/** Apache's default. */
const FORMAT = { slots: 5_000_000, items: 20_000_000 }
const TOPIC = 'BenchmarkTest'
const BODY = 128
/** Of the number in a key. */
const DIGITS = 10

/** What the index costs dispatch: messages that are appended, written and dispatched in lots. */
export function dispatches(): MicroSuite {
  const root = mkdtempSync(join(tmpdir(), 'ringmq-dispatch-'))
  const cases = [
    caseOf(root, '1 key, written only', { keys: 1, isDispatched: false, isIndexed: false }),
    caseOf(root, '1 key, no index', { keys: 1, isDispatched: true, isIndexed: false }),
    caseOf(root, '1 key, index', { keys: 1, isDispatched: true, isIndexed: true }),
    caseOf(root, '3 keys, no index', { keys: 3, isDispatched: true, isIndexed: false }),
    caseOf(root, '3 keys, index', { keys: 3, isDispatched: true, isIndexed: true }),
  ]
  const close = () => rmSync(root, { recursive: true })
  return {
    name: 'dispatches',
    question: 'one message through append, write and dispatch',
    cases,
    close,
  }
}

interface Kind {
  keys: number
  isDispatched: boolean
  isIndexed: boolean
}

function caseOf(parent: string, name: string, kind: Kind): MicroCase {
  const root = join(parent, name)
  const memory = allocateLogMemory({
    windowSize: 64 * MEBIBYTE,
    slack: 5 * MEBIBYTE,
    threads: 5,
    rows: 16,
    indexSlots: FORMAT.slots,
  })
  const shared = new LogShared(memory, Thread.NETWORK)
  shared.start(0, { minPosition: 0, timestamp: 0 })
  const directory = join(root, 'commitlog')
  systemDisk.makeDirectory(directory)
  const files = new LogFiles(systemDisk, { directory, fileSize: FILE_SIZE })
  for (let nth = 0; nth < FILES; nth++) files.create(nth * FILE_SIZE)
  shared.publishCreated(FILES * FILE_SIZE)
  const window = new LogWindow(shared)
  const appender = new LogAppender(shared, window, { fileSize: FILE_SIZE, clock: systemClock })
  const writer = new LogWriter(shared, window, files, systemDisk)
  const agent = agentOn(root, new LogShared(memory, Thread.DISPATCH), kind)
  const record = new KeyedRecord(kind.keys)
  let count = 0
  const run = () => {
    for (let repeat = 0; repeat < REPEATS; repeat++) {
      if (appender.append(record.next(count++)) !== AppendStatus.OK)
        throw new Error('the log is full')
    }
    writer.write()
    while (kind.isDispatched && agent.turn() > 0) sink.value++
  }
  return { name, run }
}

function agentOn(root: string, shared: LogShared, { isIndexed }: Kind): DispatchAgent {
  const directory = join(root, 'commitlog')
  const files = new LogFiles(systemDisk, { directory, fileSize: FILE_SIZE })
  const disk = systemDisk
  const folder = join(root, 'index')
  const index = { disk, clock: systemClock, files, format: FORMAT, root, directory: folder }
  const changes = [{ topic: TOPIC, rows: [0], from: 0 }]
  shared.publishMetadataVersion(1)
  return new DispatchAgent(shared, {
    window: new LogWindow(shared),
    files,
    disk,
    visible: () => shared.written.value(),
    queues: { root: join(root, 'consumequeue'), fileSize: 6_000_000 },
    dirty: [],
    takeChanges: () => changes.splice(0),
    index: isIndexed ? new KeyIndex(shared, index) : null,
  })
}

/** Messages whose keys are all different, as keys are: they go to slots all over the table. */
class KeyedRecord {
  readonly record: MessageRecord
  readonly #properties: Buffer
  readonly #numbersAt: number[] = []

  constructor(keys: number) {
    let text = 'WAIT\u0001true\u0002'
    for (let key = 0; key < keys; key++) {
      text += ['UNIQ_KEY\u00017F0000010001', '\u0002KEYS\u0001order-', ' customer-'][key]!
      this.#numbersAt.push(text.length)
      text += '0'.repeat(DIGITS)
    }
    this.#properties = Buffer.from(text)
    const fields = new RecordFields()
    const topic = Buffer.from(TOPIC)
    fields.topic.set(topic, 0, topic.length)
    fields.body.set(Buffer.alloc(BODY, 'x'), 0, BODY)
    for (const host of [fields.bornHost, fields.storeHost]) host.setAll(Buffer.alloc(8))
    fields.properties.set(this.#properties, 0, this.#properties.length)
    this.record = new MessageRecord(fields)
  }

  next(nth: number): MessageRecord {
    for (const at of this.#numbersAt) this.#write(at, Math.imul(nth + at, 0x9e3779b1) >>> 0)
    this.record.prepare()
    return this.record
  }

  #write(at: number, number: number): void {
    for (let digit = DIGITS, left = number; digit > 0; digit--, left = Math.floor(left / 10)) {
      this.#properties[at + digit - 1] = 0x30 + (left % 10)
    }
  }
}
