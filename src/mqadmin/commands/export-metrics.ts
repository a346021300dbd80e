import { KvTable } from '../../protocol/bodies/kv-table.ts'
import { GetBrokerConfig, GetBrokerRuntimeInfo } from '../../protocol/requests/broker.ts'
import { versionText } from '../../protocol/version-text.ts'
import type { Admin, NamedBroker } from '../admin.ts'
import type { Call, Command } from '../command.ts'
import { readConfig } from '../config-lines.ts'
import { clientsOf, connectionOf, isOffline } from '../consumer-groups.ts'
import { exportFile, FILE_OPTION } from '../export-file.ts'
import { flowOf } from '../message-flow.ts'
import { userGroups, userTopics } from '../user-metadata.ts'

const HALF_TOPIC = 'RMQ_SYS_TRANS_HALF_TOPIC'
const SCHEDULE_TOPIC = 'SCHEDULE_TOPIC_XXXX'

export const command: Command = {
  name: 'exportMetrics',
  doc: 'Write how much the masters of a cluster have to do, and with whom, to metrics.json.',
  options: [{ short: 'c', long: 'clusterName', doc: 'cluster', isRequired: true }, FILE_OPTION],
  run: exportMetrics,
}

/** Messages a second. */
interface Tps {
  scheduleInTps: number
  normalInTps: number
  normalOutTps: number
  transInTps: number
}

/** Messages of the day before. */
interface OneDayNum {
  transOneDayInNum: number
  scheduleOneDayInNum: number
  normalOneDayOutNum: number
  normalOneDayInNum: number
}

async function exportMetrics(call: Call): Promise<void> {
  const { options, admin } = call
  const evaluateReport: Record<string, object> = {}
  const all: { tps: Tps; oneDayNum: OneDayNum }[] = []
  for (const broker of await admin.masters(options.needed('c'))) {
    const { report, tps, oneDayNum } = await reportOf(admin, broker)
    evaluateReport[broker.brokerName] = report
    all.push({ tps, oneDayNum })
  }
  const tps = sumOf(all.map((each) => each.tps))
  const totalData = {
    totalOneDayNum: sumOf(all.map((each) => each.oneDayNum)),
    totalTps: {
      totalScheduleInTps: tps.scheduleInTps,
      totalNormalInTps: tps.normalInTps,
      totalTransInTps: tps.transInTps,
      totalNormalOutTps: tps.normalOutTps,
    },
  }
  await exportFile(call, 'metrics.json', { totalData, evaluateReport })
}

/** By the names and sources of Apache 5.3.3, ExportMetricsCommand. */
async function reportOf(admin: Admin, { address }: NamedBroker) {
  const info = KvTable.decode((await admin.call(address, GetBrokerRuntimeInfo, {})).body).table
  const config = readConfig((await admin.call(address, GetBrokerConfig, {})).body)
  const topics = await userTopics(admin, address, false)
  const groups = await userGroups(admin, address)
  const trans = await putsOf(admin, address, HALF_TOPIC)
  const schedule = await putsOf(admin, address, SCHEDULE_TOPIC)
  const number = (key: string) => Number(info.get(key)?.split(' ')[0] ?? 0)
  const tps: Tps = {
    scheduleInTps: schedule.tps,
    normalInTps: number('putTps'),
    normalOutTps: number('getTransferredTps'),
    transInTps: trans.tps,
  }
  const oneDayNum: OneDayNum = {
    transOneDayInNum: trans.day,
    scheduleOneDayInNum: schedule.day,
    normalOneDayOutNum: number('msgGetTotalTodayMorning') - number('msgGetTotalYesterdayMorning'),
    normalOneDayInNum: number('msgPutTotalTodayMorning') - number('msgPutTotalYesterdayMorning'),
  }
  const report = {
    runtimeVersion: {
      rocketmqVersion: info.get('brokerVersionDesc'),
      clientInfo: await clientKinds(admin, address, [...groups.subscriptionGroupTable.keys()]),
    },
    runtimeQuota: {
      diskRatio: {
        commitLogDiskRatio: info.get('commitLogDiskRatio'),
        consumeQueueDiskRatio: info.get('consumeQueueDiskRatio'),
      },
      topicSize: topics.topicConfigTable.size,
      tps,
      groupSize: groups.subscriptionGroupTable.size,
      oneDayNum,
      messageAverageSize: info.get('putMessageAverageSize'),
    },
    // Apache's number of these threads is that of the processors, and it has no other key for them.
    runtimeEnv: { cpuNum: config.get('clientCallbackExecutorThreads') },
  }
  return { report, tps, oneDayNum }
}

function putsOf(admin: Admin, address: string, statsKey: string) {
  return flowOf(admin, [address], { statsName: 'TOPIC_PUT_NUMS', statsKey })
}

/** Languages and versions of the consumers that are online: `JAVA%V5_3_3`. */
async function clientKinds(
  admin: Admin,
  address: string,
  groups: readonly string[],
): Promise<string[]> {
  const kinds = new Set<string>()
  for (const group of groups) {
    try {
      for (const { language, version } of clientsOf(await connectionOf(admin, group, [address]))) {
        kinds.add(`${language}%${versionText(version)}`)
      }
    } catch (error) {
      if (!isOffline(error)) throw error
    }
  }
  return [...kinds].toSorted((a, b) => (a < b ? -1 : 1))
}

function sumOf<T extends Record<keyof T, number>>(all: readonly T[]): T {
  const keys = Object.keys(all[0] ?? {}) as (keyof T)[]
  const sums = keys.map((key) => [key, all.reduce((sum, each) => sum + each[key], 0)])
  return Object.fromEntries(sums) as T
}
