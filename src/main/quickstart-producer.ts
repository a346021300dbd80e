/**
 * What Apache's org.apache.rocketmq.example.quickstart.Producer does: sends 1000 messages to
 * TopicTest, one after the other, and prints one line for each. `bin/tools.sh` runs it by that
 * name.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { formatSendResult, Producer } from '../client/index.ts'

const COUNT = 1000
const AFTER_FAILURE_MS = 1000

const producer = new Producer({
  group: 'please_rename_unique_group_name',
  nameServers: process.env['NAMESRV_ADDR'] ?? '127.0.0.1:9876',
})
process.stdout.on('error', () => process.exit()) // whoever read our output has seen enough
producer.start()
for (let i = 0; i < COUNT; i++) {
  try {
    const result = await producer.send({
      topic: 'TopicTest',
      tags: 'TagA',
      body: `Hello RocketMQ ${i}`,
    })
    console.log(formatSendResult(result))
  } catch (error) {
    console.error(error)
    process.exitCode = 1
    await sleep(AFTER_FAILURE_MS)
  }
}
await producer.close()
