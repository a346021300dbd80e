/**
 * Prints every message it is handed: nameServer, topic, group; expression (tags); broadcast; failures (tries of
 * each message that are refused).
 */
import ons from 'ali-ons'
import { clientOptions, crc, emit, options, untilStopped } from './lines.js'

const settings = options()
const failures = Number(settings.failures ?? 0)
const consumer = new ons.Consumer({
  ...clientOptions(settings.nameServer),
  consumerGroup: settings.group,
  consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
  isBroadcast: settings.broadcast === 'true',
})
consumer.on('error', (error) => console.error(error))
consumer.subscribe(settings.topic, settings.expression ?? '*', async (message) => {
  const { body, tags, keys, queueId, queueOffset, reconsumeTimes } = message
  const number = Number.parseInt(body.toString(), 10)
  const place = { queueId, offset: Number(queueOffset) }
  const content = { tag: tags, keys, crc: crc(body) }
  emit('message', { number, ...place, ...content, attempt: reconsumeTimes, at: Date.now() })
  return reconsumeTimes < failures ? ons.Consumer.ACTION_RETRY : undefined
})
await consumer.ready()
emit('started')
await untilStopped()
await consumer.close()
emit('done')
process.exit(0) // its producer, for messages sent back, keeps the process alive
