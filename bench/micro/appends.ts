import { systemClock } from '../../src/base/clock.ts'
import { AppendStatus, LogAppender } from '../../src/store/log-appender.ts'
import { allocateLogMemory, LogShared, Thread } from '../../src/store/log-memory.ts'
import { LogWindow } from '../../src/store/log-window.ts'
import { MessageRecord, RecordFields } from '../../src/store/message-record.ts'
import { repeated, type MicroCase, type MicroSuite } from './suite.ts'

const MEBIBYTE = 2 ** 20
const SIZES = [128, 1024, 4096, 65_536]
/** As many appends to a pwrite as a turn of a busy worker has. */
const TURN = 64
const PROPERTIES = `UNIQ_KEY\u0001${'0'.repeat(32)}\u0002WAIT\u0001true\u0002`

/**
 * The critical section of a send, without a disk: `written` follows by word only. No two threads contend
 * for the lock here, which is the usual case.
 */
export function appends(): MicroSuite {
  const memory = allocateLogMemory({
    windowSize: 64 * MEBIBYTE,
    slack: 5 * MEBIBYTE,
    threads: 5,
    rows: 16,
  })
  const shared = new LogShared(memory, Thread.NETWORK)
  shared.start(0, { minPosition: 0, timestamp: 0 })
  shared.created.publish(2 ** 50)
  const window = new LogWindow(shared)
  const appender = new LogAppender(shared, window, {
    fileSize: 1024 * MEBIBYTE,
    clock: systemClock,
  })
  const cases = SIZES.flatMap((size) => casesOf(size, shared, appender))
  return { name: 'appends', question: 'one message into the log window', cases }
}

function casesOf(size: number, shared: LogShared, appender: LogAppender): MicroCase[] {
  const record = new MessageRecord(fieldsOf(size))
  record.prepare()
  const append = (repeat: number): number => {
    if (appender.append(record) !== AppendStatus.OK) throw new Error('the window is full')
    if (repeat % TURN === 0) shared.written.publish(shared.appended.value())
    return record.position
  }
  const prepare = (): number => {
    record.prepare()
    return record.length
  }
  return [
    repeated(`${size} B: prepare`, prepare, size),
    repeated(`${size} B: append`, append, record.length),
  ]
}

function fieldsOf(size: number): RecordFields {
  const fields = new RecordFields()
  const topic = Buffer.from('BenchmarkTest')
  const properties = Buffer.from(PROPERTIES)
  fields.topic.set(topic, 0, topic.length)
  fields.body.set(Buffer.alloc(size, 'x'), 0, size)
  fields.properties.set(properties, 0, properties.length)
  fields.suffix.setAll(Buffer.from('CLUSTER\u0001DefaultCluster\u0002'))
  return fields
}
