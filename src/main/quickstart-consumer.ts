/**
 * What Apache's org.apache.rocketmq.example.quickstart.Consumer does: consumes TopicTest from its
 * beginning and prints every message, until it is stopped. `bin/tools.sh` runs it by that name.
 */
import { formatMessage, PushConsumer } from '../client/index.ts'
import { closeOnSignal } from './stop-signals.ts'

const group = 'please_rename_unique_group_name_4'
const consumer = new PushConsumer({
  group,
  nameServers: process.env['NAMESRV_ADDR'] ?? '127.0.0.1:9876',
  consumeFrom: 'CONSUME_FROM_FIRST_OFFSET',
})
process.stdout.on('error', () => process.exit()) // whoever read our output has seen enough
closeOnSignal(() => consumer.close())
consumer.subscribe('TopicTest')
consumer.start((messages, { slot }) => {
  const text = messages.map(formatMessage).join(', ')
  // The blank at the end is Apache's.
  console.log(`ConsumeMessageThread_${group}_${slot} Receive New Messages: [${text}] `)
})
console.log('Consumer Started.')
