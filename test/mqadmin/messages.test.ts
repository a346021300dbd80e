import { expect, test } from 'vitest'
import { ConsumeDirectlyResult } from '../../src/protocol/bodies/consume-directly-result.ts'
import { encodeCommand, responseTo } from '../../src/protocol/remoting-command.ts'
import { ConsumeMessageDirectly } from '../../src/protocol/requests/diagnostics.ts'
import { ResponseCode } from '../../src/protocol/response-code.ts'
import { beat, subscription } from '../support/consumers.ts'
import { useCluster } from './open-cluster.ts'

const cluster = useCluster()
const mqadmin = (line: string) => cluster.current.mqadmin(line)
const json = (line: string) => cluster.current.json(line)

interface Shown {
  msgId: string
  offsetMsgId: string
  queueOffset: number
  body: string
}

/** Sends one message with a key and a tag, and returns its two ids. */
async function sent(topic: string, key: string): Promise<{ msgId: string; offsetMsgId: string }> {
  await cluster.current.topicWith(topic, 0)
  return (await json(`sendMessage -t ${topic} -p hello -k ${key} -c TagA`)) as Shown
}

/** The index follows the log soon, not at once. */
async function indexed(line: string): Promise<unknown> {
  for (;;) {
    const { code } = await mqadmin(line)
    if (code === 0) return json(line)
    await new Promise((resolve) => setImmediate(resolve))
  }
}

test('a message is found by key, by either id and by offset', async () => {
  const { msgId, offsetMsgId } = await sent('Found', 'K1')
  const wanted = { msgId, offsetMsgId, queueOffset: 0, body: 'hello', tracks: [] }
  const [byKey] = (await indexed('queryMsgByKey -t Found -k K1')) as Shown[]
  expect(byKey).toMatchObject({ msgId, offsetMsgId })
  expect(await json(`queryMsgById -t Found -i ${offsetMsgId}`)).toMatchObject([wanted])
  expect(await json(`queryMsgById -t Found -i ${msgId}`)).toMatchObject([wanted])
  expect(await json(`queryMsgByUniqueKey -t Found -i ${msgId} -a`)).toMatchObject([wanted])
  const byOffset = await json('queryMsgByOffset -t Found -b broker-a -i 0 -o 0')
  expect(byOffset).toMatchObject(wanted)
})

test('a message is shown line by line, with its body on demand', async () => {
  const { offsetMsgId } = await sent('Shown', 'K2')
  const lines = (await mqadmin(`queryMsgById -t Shown -i ${offsetMsgId} -f UTF-8`)).stdout.split(
    '\n',
  )
  expect(lines.slice(0, 6)).toEqual([
    `OffsetID:            ${offsetMsgId}`,
    'Topic:               Shown',
    'Tags:                [TagA]',
    'Keys:                [K2]',
    'Queue ID:            0',
    'Queue Offset:        0',
  ])
  expect(lines.slice(-5)).toEqual(['Message Body:        hello', '', '', 'WARN: No Consumer', ''])
})

test.each([
  ['queryMsgByKey -t Missing -k NO', 'topic Missing has no message with key NO'],
  ['queryMsgByUniqueKey -t Missing -i NO', 'topic Missing has no message NO'],
  ['queryMsgById -t Missing -i NO', 'topic Missing has no message NO'],
  ['queryMsgByOffset -t Missing -b broker-a -i 0 -o 7', 'there is no message at offset 7'],
  ['queryMsgByOffset -t Missing -b broker-x -i 0 -o 0', 'no broker broker-x is registered, only'],
  ['queryCq -t Missing -q 9 -i 0', '9@Missing is not exist!'],
  ['queryCq -t Missing -q 0 -i 5', 'the queue has no entry 5'],
  ['printMsgByQueue -t Missing -a broker-a -i 0', 'nothing to print: add -p true, or -f true'],
  ['printMsg -t Missing -b 2026-02-30#00:00:00:000', 'it must be ms since 1970 or yyyy-MM-dd#'],
  ['printMsg -t Missing -c NOCHARSET', 'there is no such charset'],
  ['consumeMessage -t Missing -i 0', '-b and -i name a queue together'],
  ['consumeMessage -t Missing -b broker-a -i 9', 'topic Missing has no queue 9 on broker-a'],
  ['sendMessage -t Missing -p x -i 1', 'Broker name must be set if the queue is chosen!'],
  ['sendMessage -t Missing -p x -b broker-a -i 9', 'has no queue 9 on broker-a'],
  ['queryMsgTraceById -i NO -t Missing', 'topic Missing has no trace of message NO'],
])('%s fails and says why', async (line, message) => {
  await cluster.current.topicWith('Missing', 0)
  const { code, stderr } = await mqadmin(line)
  expect([code, stderr]).toEqual([1, expect.stringContaining(message)])
  expect(stderr).not.toContain('    at ') // no trace: the user can mend it
})

test('all messages of a topic are printed, more than one answer holds', async () => {
  await cluster.current.topicWith('Many', 100)
  const lines = (await mqadmin('printMsg -t Many')).stdout.trimEnd().split('\n')
  expect(lines[0]).toBe(
    'minOffset=0, maxOffset=100, MessageQueue [topic=Many, brokerName=broker-a, queueId=0]',
  )
  const bodies = lines.slice(1, -1).map((line) => line.split(' BODY: ')[1])
  expect(bodies).toEqual(Array.from({ length: 100 }, (_, nth) => `message ${nth}`))
  expect(lines.at(-1)).toBe('-'.repeat(56))
})

test('messages of a queue are counted by tag', async () => {
  await sent('Tags', 'K')
  await json('sendMessage -t Tags -p x -c TagB')
  await json('sendMessage -t Tags -p x -c TagB')
  const line = 'printMsgByQueue -t Tags -a broker-a -i 0 -f true'
  expect((await mqadmin(line)).stdout.split('\n')).toEqual([
    'Tag: TagB                           Count: 2',
    'Tag: TagA                           Count: 1',
    '',
  ])
})

test('no more messages are consumed than asked for, from the offset that is given', async () => {
  await cluster.current.topicWith('Some', 10)
  const line = 'consumeMessage -t Some -b broker-a -i 0 -o 4 -c 3'
  const { stdout } = await mqadmin(line)
  const [first, second, ...rest] = stdout.trimEnd().split('\n')
  expect([first, second]).toEqual(['The oldler 3 message will be provided', 'Consume ok'])
  expect(rest.map((each) => each.split(' BODY: ')[1])).toEqual([
    'message 4',
    'message 5',
    'message 6',
  ])
})

test('entries of a queue are shown', async () => {
  await cluster.current.topicWith('Entries', 3)
  const { queueData } = (await json('queryCq -t Entries -q 0 -i 1 -c 10')) as { queueData: [] }
  expect(queueData).toHaveLength(2)
})

test('a consumer with two connections is made to consume a message once', async () => {
  const { offsetMsgId } = await sent('Direct', 'K3')
  const clients = [await cluster.current.client(), await cluster.current.client()]
  for (const client of clients) {
    await beat(client, { clientID: 'D@1', group: 'D' }, subscription('Direct'))
  }
  const asked = json(`queryMsgById -t Direct -i ${offsetMsgId} -g D`)
  const requests = () =>
    clients.flatMap((client) =>
      client.received
        .filter(({ code }) => code === ConsumeMessageDirectly.code)
        .map((request) => ({ client, request })),
    )
  await expect.poll(() => requests().length).toBe(1)
  const { client, request } = requests()[0]!
  const result = { autoCommit: true, consumeResult: 'CR_SUCCESS', order: false, spentTimeMills: 1 }
  const body = ConsumeDirectlyResult.encode(result)
  client.write(encodeCommand(responseTo(request, ResponseCode.SUCCESS, null, null, body)))
  expect(await asked).toEqual([[result]])
  expect(requests()).toHaveLength(1)
})
