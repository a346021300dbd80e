import { expect, test } from 'vitest'
import { commandNames, loadAll } from '../../src/mqadmin/commands.ts'
import { useCluster } from './open-cluster.ts'

const cluster = useCluster()
const mqadmin = (line: string) => cluster.current.mqadmin(line)
const json = (line: string) => cluster.current.json(line)

test('a setting of the broker is changed, and shown as it is now', async () => {
  const address = cluster.current.brokerAddress
  const line = `updateBrokerConfig -b ${address} -k fileReservedTime -v 48`
  expect((await mqadmin(line)).stdout.split('\n')[0]).toBe(
    `update broker config success, ${address}`,
  )
  const { stdout } = await mqadmin('getBrokerConfig -c DefaultCluster')
  expect(stdout).toContain(`============Master: ${address}============\n`)
  expect(stdout).toContain('\nfileReservedTime                                  =  48\n')
})

test.each([
  ['updateBrokerConfig -c DefaultCluster -k storePathRootDir -v /tmp/x', 'cannot be changed'],
  ['updateBrokerConfig -c DefaultCluster -k nosuchkey -v 1', 'there is no setting nosuchkey'],
  ['updateBrokerConfig -c Nowhere -k fileReservedTime -v 1', 'there is no Nowhere, only'],
  ['updateNamesrvConfig -k nosuchkey -v 1', 'has no setting nosuchkey'],
  ['updateNamesrvConfig -k kvConfigPath -v /tmp/x', 'kvConfigPath cannot be changed'],
  ['wipeWritePerm -b broker-x', 'no broker broker-x is registered, only broker-a'],
  ['getBrokerEpoch -b broker-a', 'this request only for controllerMode'],
  ['getColdDataFlowCtrInfo -c DefaultCluster', 'does not have that: only Apache'],
  ['dumpCompactionLog -f x', 'not supported: RingMQ has no compaction topics'],
  ['createUser -b x:1 -u alice -p secret', 'not supported: RingMQ has no users'],
])('%s fails and says why', async (line, message) => {
  const { code, stderr } = await mqadmin(line)
  expect([code, stderr]).toEqual([1, expect.stringContaining(message)])
})

test('a setting of the name server is changed', async () => {
  const server = cluster.current.namesrv.address
  const { stdout } = await mqadmin('updateNamesrvConfig -k orderMessageEnable -v true')
  expect(stdout).toBe(`update name server config success![${server}]\norderMessageEnable : true\n`)
  const configs = (await json('getNamesrvConfig')) as Record<string, Record<string, string>>
  expect(configs[server]?.['orderMessageEnable']).toBe('true')
})

test('write permission is taken from a broker and given back', async () => {
  await cluster.current.topicWith('Perm', 0)
  const perm = async () => {
    const { queueDatas } = (await json('topicRoute -t Perm')) as { queueDatas: { perm: number }[] }
    return queueDatas[0]!.perm
  }
  const { stdout } = await mqadmin('wipeWritePerm -b broker-a')
  expect(stdout).toMatch(/^wipe write perm of broker\[broker-a\] in name server\[.+\] OK, \d+\n$/)
  expect(await perm()).toBe(4)
  expect((await mqadmin('addWritePerm -b broker-a')).stdout).toContain('OK, ')
  expect(await perm()).toBe(6)
})

test('a key and its value are stored and deleted', async () => {
  expect((await mqadmin('updateKvConfig -s NS -k k -v v')).stdout).toBe(
    'create or update kv config to namespace success.\n',
  )
  expect((await mqadmin('deleteKvConfig -s NS -k k')).stdout).toBe(
    'delete kv config from namespace success.\n',
  )
})

test.each(['cleanExpiredCQ', 'cleanUnusedTopic', 'deleteExpiredCommitLog'])(
  '%s goes to one broker, to those of a cluster, or to all',
  async (name) => {
    const where = ['', ' -c DefaultCluster', ` -b ${cluster.current.brokerAddress}`]
    for (const options of where) {
      expect(await mqadmin(name + options)).toMatchObject({ code: 0, stdout: 'success\n' })
    }
  },
)

test('a master without slaves says so', async () => {
  const { stdout } = await mqadmin('haStatus -c DefaultCluster')
  expect(stdout).toContain(`\n#MasterAddr\t${cluster.current.brokerAddress}\n`)
  expect(stdout).toContain('#SlaveNum\t0\n#InSyncSlaveNum\t0\n')
})

test('every command is there under the name that it gives itself', async () => {
  expect((await loadAll()).map(({ name }) => name)).toEqual(commandNames)
})
