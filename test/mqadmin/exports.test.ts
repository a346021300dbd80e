import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { useCluster } from './open-cluster.ts'
import { tempFolder } from '../support/temp-folder.ts'

const cluster = useCluster()

/** Runs the command into a folder of its own; returns what it wrote. */
async function exported(line: string, file: string): Promise<Record<string, object>> {
  const folder = tempFolder()
  const { code, stdout, stderr } = await cluster.current.mqadmin(`${line} -f ${folder}/new`)
  expect([code, stderr, stdout]).toEqual([0, '', `export ${join(folder, 'new', file)} success\n`])
  return JSON.parse(readFileSync(join(folder, 'new', file), 'utf8')) as Record<string, object>
}

test('topics and groups of a cluster are exported, without those of the system', async () => {
  await cluster.current.topicWith('Exported', 1)
  await cluster.current.mqadmin('updateSubGroup -c DefaultCluster -g exporters -q 2')
  const both = await exported('exportMetadata -c DefaultCluster', 'metadata.json')
  expect(both.exportTime).toBeTypeOf('number')
  expect(both.topicConfigTable).toEqual({
    Exported: {
      attributes: {},
      order: false,
      perm: 6,
      readQueueNums: 1,
      topicFilterType: 'SINGLE_TAG',
      topicName: 'Exported',
      topicSysFlag: 0,
      writeQueueNums: 1,
    },
  })
  expect(both.subscriptionGroupTable).toMatchObject({ exporters: { retryQueueNums: 2 } })
  expect(Object.keys(both.subscriptionGroupTable!)).toEqual(['consumers', 'exporters'])
})

test('topics or groups of a broker are exported with their version', async () => {
  const line = `exportMetadata -b ${cluster.current.brokerAddress}`
  expect(await exported(`${line} -t`, 'topic.json')).toMatchObject({
    dataVersion: { stateVersion: 0 },
    topicConfigTable: { Exported: { topicName: 'Exported' } },
  })
  const groups = await exported(`${line} -g`, 'subscriptionGroup.json')
  expect(groups).toMatchObject({ subscriptionGroupTable: { exporters: {} } })
  expect((await cluster.current.mqadmin(line)).stderr).toMatch(/-b needs -t .* or -g/)
  expect((await cluster.current.mqadmin(`${line} -t -g`)).stderr).toMatch(/one of them/)
})

test('the settings of the masters and the size of the cluster are exported', async () => {
  expect(await exported('exportConfigs -c DefaultCluster', 'configs.json')).toMatchObject({
    clusterScale: { namesrvSize: 1, slaveBrokerSize: 0, masterBrokerSize: 1 },
    brokerConfigs: { 'broker-a': { brokerId: '0', flushDiskType: 'ASYNC_FLUSH' } },
  })
})

test('what the masters do is exported', async () => {
  const metrics = await exported('exportMetrics -c DefaultCluster', 'metrics.json')
  expect(metrics).toMatchObject({
    totalData: { totalTps: { totalTransInTps: 0 }, totalOneDayNum: { transOneDayInNum: 0 } },
    evaluateReport: {
      'broker-a': {
        runtimeVersion: { rocketmqVersion: 'V5_3_3', clientInfo: [] },
        runtimeQuota: { topicSize: 1, groupSize: 2, tps: { scheduleInTps: 0 } },
      },
    },
  })
})

test('nothing is written with --json, nor where nothing can be', async () => {
  const line = 'exportConfigs -c DefaultCluster -f /proc/version/x'
  expect(await cluster.current.json(line)).toMatchObject({ clusterScale: { namesrvSize: 1 } })
  const { code, stderr } = await cluster.current.mqadmin(line)
  expect([code, stderr]).toEqual([1, expect.stringMatching(/configs.json cannot be written/)])
})
