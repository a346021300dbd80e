/**
 * Sends numbered messages: nameServer, topic; count; tags (a list, chosen by number); delayLevel; shards (at most
 * 3: the message's number modulo this chooses its sharding key).
 */
import ons from 'ali-ons'
import { clientOptions, crc, emit, options } from './lines.js'

const settings = options()
const tags = settings.tags.split(',') // a message without a tag would be sent with the tag "null"
const shards = Number(settings.shards ?? 0)

/** None of these falls on queue 0 of 4 or 8: ali-ons takes that for "no queue", and any will do. */
const SHARDING_KEYS = ['a', 'b', 'e']

function numbered(number) {
  const body = `${number} ${'body '.repeat(number % 40)}`
  const message = new ons.Message(settings.topic, tags[number % tags.length], body)
  message.keys = [`key-${number}`]
  if (settings.delayLevel !== undefined) message.delayTimeLevel = Number(settings.delayLevel)
  if (shards > 0) message.shardingKey = SHARDING_KEYS[number % shards]
  return message
}

const producer = new ons.Producer({
  ...clientOptions(settings.nameServer),
  producerGroup: 'interop-producers',
  sendMsgTimeout: 30_000,
  retryTimesWhenSendFailed: 0,
})
await producer.ready()
for (let number = 0; number < Number(settings.count); number++) {
  const message = numbered(number)
  const { tags: tag, keys } = message
  const sum = crc(message.body)
  const { sendStatus, messageQueue, queueOffset } = await producer.send(message)
  if (sendStatus !== 'SEND_OK') throw new Error(`message ${number}: ${sendStatus}`)
  const { queueId } = messageQueue
  emit('sent', { number, queueId, offset: queueOffset, tag, keys, crc: sum, at: Date.now() })
}
emit('done')
process.exit(0) // a producer of its own, for messages sent back, keeps the process alive
