import { KvTable } from '../../protocol/bodies/kv-table.ts'
import { GetBrokerRuntimeInfo } from '../../protocol/requests/broker.ts'
import type { Call, Command } from '../command.ts'
import { Problems } from '../problems.ts'
import { repeat } from '../repeat.ts'

const ROW = '%-22s  %-22s  %-4s  %-22s %-16s  %16s  %30s  %-22s  %11s  %-12s  %-8s  %10s'
const MORE_ROW = '%-16s  %-32s %14s %14s %14s %14s'
const HOUR_MS = 3_600_000

export const command: Command = {
  name: 'clusterList',
  doc: 'Show all clusters and their brokers.',
  options: [
    { short: 'm', long: 'moreStats', doc: 'messages of yesterday and today', isFlag: true },
    { short: 'i', long: 'interval', doc: 'again every so many seconds' },
    { short: 'c', long: 'clusterName', doc: 'only this cluster' },
  ],
  run: (call) => repeat(call, () => clusterList(call)),
}

interface Row {
  cluster: string
  brokerName: string
  brokerId: number
  address: string
  /** Empty when the broker does not answer. */
  info: ReadonlyMap<string, string>
}

/** What is known of a broker that does not answer. */
const NO_INFO: ReadonlyMap<string, string> = new Map()

async function clusterList({ options, admin, out }: Call): Promise<void> {
  const cluster = options.text('c')
  if (cluster !== null) await admin.brokers(cluster) // says what is there when it is not
  const { clusterAddrTable, brokerAddrTable } = await admin.clusterInfo()
  const places = [...clusterAddrTable]
    .filter(([name]) => cluster === null || name === cluster)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, brokers]) =>
      brokers.toSorted().flatMap((brokerName) => {
        const addresses = [...(brokerAddrTable.get(brokerName)?.brokerAddrs ?? [])]
        return addresses.map(([brokerId, address]) => ({
          cluster: name,
          brokerName,
          brokerId,
          address,
        }))
      }),
    )
  const problems = new Problems()
  const rows = await Promise.all(
    places.map(async (place): Promise<Row> => {
      const info = await infoOf(admin, place.address).catch((error: unknown) => {
        problems.add(error)
        return NO_INFO
      })
      return { ...place, info }
    }),
  )
  if (options.has('m')) printTotals(rows, out)
  else printLoads(rows, out)
  out.data(rows)
  if (!options.has('i')) problems.end() // who watches goes on watching
}

async function infoOf(admin: Call['admin'], address: string): Promise<ReadonlyMap<string, string>> {
  return KvTable.decode((await admin.call(address, GetBrokerRuntimeInfo, {})).body).table
}

function printLoads(rows: readonly Row[], out: Call['out']): void {
  out.head(
    ROW,
    '#Cluster Name',
    '#Broker Name',
    '#BID',
    '#Addr',
    '#Version',
    '#InTPS(LOAD)',
    '#OutTPS(LOAD)',
    '#Timer(Progress)',
    '#PCWait(ms)',
    '#Hour',
    '#SPACE',
    '#ACTIVATED',
  )
  for (const row of rows) out.row(ROW, ...loadsOf(row))
}

function loadsOf({ cluster, brokerName, brokerId, address, info }: Row): unknown[] {
  const text = (key: string) => info.get(key) ?? ''
  const tps = (key: string) => Number(text(key).split(' ')[0] || 0).toFixed(2)
  const send = `(${text('sendThreadPoolQueueSize')},${text('sendThreadPoolQueueHeadWaitTimeMills')}ms)`
  const ack = `${text('ackThreadPoolQueueSize')},${text('ackThreadPoolQueueHeadWaitTimeMills')}ms`
  const pull = `(${text('pullThreadPoolQueueSize')},${text('pullThreadPoolQueueHeadWaitTimeMills')}ms|${ack})`
  const number = (key: string) => Number(text(key) || 0)
  const timer = `${number('timerReadBehind')}-${number('timerOffsetBehind')}(${(number('timerCongestNum') / 10_000).toFixed(1)}w, ${number('timerEnqueueTps').toFixed(1)}, ${number('timerDequeueTps').toFixed(1)})`
  const earliest = number('earliestMessageTimeStamp')
  const hours = earliest > 0 ? ((Date.now() - earliest) / HOUR_MS).toFixed(2) : ''
  return [
    cluster,
    brokerName,
    brokerId,
    address,
    text('brokerVersionDesc'),
    `${tps('putTps')}${send}`,
    `${tps('getTransferredTps')}${pull}`,
    timer,
    text('pageCacheLockTimeMills'),
    hours,
    number('commitLogDiskRatio').toFixed(4),
    text('brokerActive') || 'false',
  ]
}

function printTotals(rows: readonly Row[], out: Call['out']): void {
  const heads = ['#InTotalYest', '#OutTotalYest', '#InTotalToday', '#OutTotalToday']
  out.head(MORE_ROW, '#Cluster Name', '#Broker Name', ...heads)
  for (const { cluster, brokerName, info } of rows) {
    const number = (key: string) => Number(info.get(key) || 0)
    const between = (of: string, from: string, to: string) =>
      number(`msg${of}Total${to}`) - number(`msg${of}Total${from}`)
    out.row(
      MORE_ROW,
      cluster,
      brokerName,
      between('Put', 'YesterdayMorning', 'TodayMorning'),
      between('Get', 'YesterdayMorning', 'TodayMorning'),
      between('Put', 'TodayMorning', 'TodayNow'),
      between('Get', 'TodayMorning', 'TodayNow'),
    )
  }
}
