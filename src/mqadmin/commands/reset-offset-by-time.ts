import { InvokeBrokerToResetOffset, UpdateConsumerOffset } from '../../protocol/requests/offset.ts'
import { AdminError, type Call, type Command } from '../command.ts'
import {
  END,
  offsetAt,
  plannedMoves,
  printOld,
  type Reset,
  resetEverywhere,
} from '../reset-offsets.ts'
import { timeOption } from '../time-option.ts'

export const command: Command = {
  name: 'resetOffsetByTime',
  doc: 'Move a group in a topic to a time, or in one queue to an offset. Its consumers may be online.',
  options: [
    { short: 'g', long: 'group', doc: 'consumer group', isRequired: true },
    { short: 't', long: 'topic', doc: 'topic name', isRequired: true },
    {
      short: 's',
      long: 'timestamp',
      doc: 'now, ms since 1970, yyyy-MM-dd#HH:mm:ss:SSS, or -1: the end',
      isRequired: true,
    },
    { short: 'f', long: 'force', doc: 'kept for old scripts: also back in time (true|false)' },
    { short: 'c', long: 'cluster', doc: 'only on brokers of this cluster' },
    { short: 'b', long: 'broker', doc: 'only on this broker, host:port; with -q' },
    { short: 'q', long: 'queue', doc: 'only in this queue of -b' },
    { short: 'o', long: 'offset', doc: 'to this offset of -q, whatever -s says' },
    {
      short: 'dry-run',
      long: 'dry-run',
      doc: 'only show what would be moved',
      isFlag: true,
      isLongOnly: true,
    },
  ],
  run: resetOffsetByTime,
}

async function resetOffsetByTime(call: Call): Promise<void> {
  const { options, admin, out } = call
  const [group, topic, written] = ['g', 't', 's'].map((short) => options.needed(short))
  const timestamp = timeOf(call)
  const reset = { group: group!, topic: topic!, timestamp, cluster: options.text('c') }
  if (options.has('b') !== options.has('q'))
    throw new AdminError('-b and -q go together: one queue of one broker')
  if (options.has('o') && !options.has('q'))
    throw new AdminError('-o needs -b and -q: an offset is of one queue')
  if (options.has('b')) return oneQueue(call, reset)
  if (options.has('dry-run')) return dryRun(call, reset)
  const force = options.boolean('f', true)
  out.line(
    `start reset consumer offset by specified, group[${group}], topic[${topic}], force[${force}], timestamp(string)[${written}], timestamp(long)[${timestamp}]`,
  )
  return resetEverywhere(admin, reset, out)
}

function timeOf({ options }: Call): number {
  const text = options.text('s')
  if (text === 'now') return Date.now()
  return text === String(END) ? END : timeOption(options, 's')!
}

async function dryRun({ admin, out }: Call, reset: Reset): Promise<void> {
  const moves = await plannedMoves(admin, reset)
  printOld(moves, out)
  out.line('')
  out.line('nothing was changed: this was a dry run')
  out.data({ ...reset, isDryRun: true, queues: moves })
}

async function oneQueue({ options, admin, out }: Call, reset: Reset): Promise<void> {
  const address = options.needed('b')
  const queueId = options.integer('q', 0, { min: 0 })
  const { group, topic, timestamp } = reset
  out.line(
    `start reset consumer offset by specified, group[${group}], topic[${topic}], queueId[${queueId}], broker[${address}], timestamp(string)[${options.text('s')}], timestamp(long)[${timestamp}]`,
  )
  const asked = options.integer('o', -1, { min: 0 })
  const offset = asked >= 0 ? asked : await offsetAt(admin, address, { topic, queueId, timestamp })
  out.data({ ...reset, queueId, offset, isDryRun: options.has('dry-run') })
  if (options.has('dry-run')) return out.line(`would reset consumer offset to ${offset}`)
  const header = { topic, group, queueId, offset, timestamp, isForce: true }
  await admin.call(address, InvokeBrokerToResetOffset, header)
  // What was committed is moved, too, by brokers that only tell the consumers.
  const committed = { consumerGroup: group, topic, queueId, commitOffset: offset }
  await admin.call(address, UpdateConsumerOffset, committed)
  out.line(`reset consumer offset to ${offset}`)
}
