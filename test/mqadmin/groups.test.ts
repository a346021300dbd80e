import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { beat, subscription } from '../support/consumers.ts'
import { useCluster } from './open-cluster.ts'

const cluster = useCluster()

function fileWith(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'mqadmin-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'list.json')
  writeFileSync(path, text)
  return path
}

test('a group is made, shown, replaced and deleted', async () => {
  const { mqadmin, brokerAddress } = bound()
  const made = await mqadmin('updateSubGroup -c DefaultCluster -g G -r 3 -s false')
  expect(made).toMatchObject({ code: 0, stderr: '' })
  expect(made.stdout).toBe(
    `create subscription group to ${brokerAddress} success.\nSubscriptionGroupConfig{groupName=G, consumeEnable=false, consumeFromMinEnable=false, consumeBroadcastEnable=false, consumeMessageOrderly=false, retryQueueNums=1, retryMaxTimes=3, groupRetryPolicy=GroupRetryPolicy{type=CUSTOMIZED, exponentialRetryPolicy=null, customizedRetryPolicy=null}, brokerId=0, whichBrokerWhenConsumeSlowly=1, notifyConsumerIdsChangedEnable=true, groupSysFlag=0, consumeTimeoutMinute=15, subscriptionDataSet=null, attributes={}}\n`,
  )
  const policy =
    '{"type":"EXPONENTIAL","exponentialRetryPolicy":{"initial":1,"max":9,"multiplier":2}}'
  await mqadmin(`updateSubGroup -b ${brokerAddress} -g G -p ${policy}`)
  const { stdout } = await mqadmin('getConsumerConfig -g G')
  expect(stdout).toContain(
    '=============================DefaultCluster:broker-a=============================\n',
  )
  expect(stdout).toMatch(/^consumeEnable {27}= {2}true$/m) // what is not given goes back
  expect(stdout).toContain(
    '=  GroupRetryPolicy{type=EXPONENTIAL, exponentialRetryPolicy=ExponentialRetryPolicy{initial=1, max=9, multiplier=2}, customizedRetryPolicy=null}\n',
  )
  expect((await mqadmin('deleteSubGroup -c DefaultCluster -g G -r true')).stdout).toBe(
    `delete subscription group [G] from broker [${brokerAddress}] in cluster [DefaultCluster] success.\n`,
  )
  expect((await mqadmin('getConsumerConfig -g G')).code).toBe(1)
})

test.each([
  ['updateSubGroup -c DefaultCluster -g H -p x', '-p: '],
  ['updateSubGroup -c DefaultCluster -g H -q many', '-q many: it must be an integer from 0'],
  ['updateSubGroup -c DefaultCluster -g H --attributes a', 'it must be +name=value or -name'],
  ['updateSubGroup -c Nowhere -g H', 'there is no Nowhere, only DefaultCluster'],
  ['updateSubGroupList -c DefaultCluster -f /nowhere', 'the file path /nowhere does not exists'],
  ['setConsumeMode -c DefaultCluster -t T -g H -m PUSH', 'it must be PULL or POP'],
  ['updateOrderConf -t T -m drop', 'it must be put, get or delete'],
  ['updateOrderConf -t T -m put -v nonsense', 'it must be like brokerName:8'],
])('%s is refused in one sentence, and changes nothing', async (line, why) => {
  const { mqadmin } = bound()
  const { code, stderr } = await mqadmin(line)
  expect(code).toBe(1)
  expect(stderr).toContain(why)
  expect(stderr.trim().split('\n')).toHaveLength(1)
  expect((await mqadmin('getConsumerConfig -g H')).code).toBe(1)
})

test('lists of groups and topics are made, and none of them when one is wrong', async () => {
  const { mqadmin, brokerAddress } = bound()
  const groups = fileWith('[{"groupName":"L1"},{"groupName":"L2","retryMaxTimes":2}]')
  expect((await mqadmin(`updateSubGroupList -c DefaultCluster -f ${groups}`)).stdout).toBe(
    `submit batch of subscription group config to ${brokerAddress} success, please check the result later.\n`,
  )
  expect((await mqadmin('getConsumerConfig -g L2')).stdout).toMatch(/^retryMaxTimes {27}= {2}2$/m)
  const topics = fileWith('[{"topicName":"LT","readQueueNums":3},{"topicName":"LU"}]')
  expect((await mqadmin(`updateTopicList -b ${brokerAddress} -f ${topics}`)).code).toBe(0)
  await cluster.current.known('LT')
  const bad = fileWith('[{"groupName":"L3"},{"groupName":"not allowed"}]')
  expect((await mqadmin(`updateSubGroupList -c DefaultCluster -f ${bad}`)).code).toBe(1)
  expect((await mqadmin('getConsumerConfig -g L3')).code).toBe(1)
  const unnamed = await mqadmin(`updateTopicList -b ${brokerAddress} -f ${fileWith('[{"a":1}]')}`)
  expect(unnamed.stderr).toContain('[0].topicName is missing')
})

test('the permission of a topic changes, and nothing else of it', async () => {
  const { mqadmin, brokerAddress } = bound()
  await mqadmin('updateTopic -c DefaultCluster -t P -r 3 -w 2 -o true')
  await cluster.current.known('P')
  expect((await mqadmin('updateTopicPerm -c DefaultCluster -t P -p 4')).stdout).toBe(
    `update topic perm from 6 to 4 in ${brokerAddress} success.\n`,
  )
  const { stdout } = await mqadmin(`updateTopicPerm -b ${brokerAddress} -t P -p 6`)
  expect(stdout).toContain('readQueueNums=3, writeQueueNums=2, perm=RW-')
  expect(stdout).toContain('order=true')
  expect((await mqadmin(`updateTopicPerm -b ${brokerAddress} -t P -p 6`)).stdout).toBe(
    'new perm equals to the old one!\n',
  )
})

test('order conf is set, shown and deleted; queues are shared out as consumers do it', async () => {
  const { mqadmin } = bound()
  await cluster.current.topicWith('O', 0)
  await mqadmin('updateOrderConf -t O -m put -v broker-a:4')
  expect((await mqadmin('updateOrderConf -t O -m get')).stdout).toBe(
    'get orderConf success. topic=[O], orderConf=[broker-a:4] \n',
  )
  await mqadmin('updateOrderConf -t O -m delete')
  expect((await mqadmin('updateOrderConf -t O -m get')).code).toBe(1)
  expect((await mqadmin('allocateMQ -t O -i a,b')).stdout).toBe(
    '{"result":{"a":[{"brokerName":"broker-a","queueId":0,"topic":"O"}],"b":[]}}\n',
  )
})

test('connections show who is there, with subscriptions; a group that left is an error', async () => {
  const { mqadmin, brokerAddress } = bound()
  const client = await cluster.current.client()
  await beat(client, { clientID: 'me@1', group: 'C' }, subscription('T', { subString: 'A || B' }))
  await cluster.current.known('%RETRY%C')
  const address = `127.0.0.1:${client.socket.localPort}`
  expect((await mqadmin('consumerConnection -g C')).stdout).toBe(
    [
      '#ClientId                            #ClientAddr            #Language  #Version',
      `me@1                                 ${address.padEnd(22)} JAVA       V5_3_3`,
      '',
      'Below is subscription:',
      '#Topic               #SubExpression',
      'T                    A || B',
      '',
      'ConsumeType: CONSUME_PASSIVELY',
      'MessageModel: CLUSTERING',
      'ConsumeFromWhere: CONSUME_FROM_LAST_OFFSET',
      '',
    ].join('\n'),
  )
  const unknown = await mqadmin('consumerConnection -g NOBODY')
  expect(unknown.stderr).toContain('no consumer of group NOBODY was ever there')
  client.close()
  await client.closed
  await expect
    .poll(async () => (await mqadmin(`consumerConnection -g C -b ${brokerAddress}`)).stderr)
    .toContain('CODE: 206')
})

function bound() {
  const { current } = cluster
  return { mqadmin: (line: string) => current.mqadmin(line), brokerAddress: current.brokerAddress }
}

test('a group is told to consume a topic by POP, and by PULL again', async () => {
  const { mqadmin, brokerAddress } = bound()
  await mqadmin('updateTopic -c DefaultCluster -t Popped')
  await mqadmin('updateSubGroup -c DefaultCluster -g Poppers')
  for (const mode of ['POP', 'PULL']) {
    const line = `setConsumeMode -c DefaultCluster -t Popped -g Poppers -m ${mode} -q 2`
    expect(await mqadmin(line)).toMatchObject({
      code: 0,
      stdout: `set consume mode to ${brokerAddress} success.\ntopic[Popped] group[Poppers] consume mode[${mode}] popShareQueueNum[2]\n`,
    })
  }
  const unknown = await mqadmin('setConsumeMode -c DefaultCluster -t Popped -g Nobody -m POP')
  expect(unknown).toMatchObject({ code: 1, stderr: expect.stringContaining('does not exist') })
})
