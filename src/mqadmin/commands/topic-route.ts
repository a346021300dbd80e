import type { TopicRouteData } from '../../protocol/bodies/topic-route.ts'
import type { Call, Command } from '../command.ts'
import type { Output } from '../output.ts'

const ROW = '%-45s %-32s %-50s %-10s %-11s %-5s'
const RULE = '-'.repeat(158)

export const command: Command = {
  name: 'topicRoute',
  doc: 'Show which brokers hold a topic, with how many queues.',
  options: [
    { short: 't', long: 'topic', doc: 'topic name', isRequired: true },
    { short: 'l', long: 'list', doc: 'as a table', isFlag: true },
  ],
  run: topicRoute,
}

async function topicRoute({ options, admin, out }: Call): Promise<void> {
  const route = await admin.route(options.needed('t'))
  if (options.has('l')) printTable(route, out)
  else out.line(routeText(route))
  out.data(route)
}

/** As fastjson prints it: tabs, and broker ids without quotes. */
function routeText({ brokerDatas, queueDatas, orderTopicConf }: TopicRouteData): string {
  const brokers = brokerDatas.map(({ brokerAddrs, brokerName, cluster, enableActingMaster }) => {
    const addresses = [...brokerAddrs].map(([id, address]) => `${id}:${JSON.stringify(address)}`)
    return block(2, [
      `"brokerAddrs":{${addresses.join(',')}\n\t\t\t}`,
      `"brokerName":${JSON.stringify(brokerName)}`,
      `"cluster":${JSON.stringify(cluster)}`,
      `"enableActingMaster":${enableActingMaster ?? false}`,
    ])
  })
  const queues = queueDatas.map((queue) => {
    const { brokerName, perm, readQueueNums, topicSysFlag, writeQueueNums } = queue
    return block(2, [
      `"brokerName":${JSON.stringify(brokerName)}`,
      `"perm":${perm}`,
      `"readQueueNums":${readQueueNums}`,
      `"topicSysFlag":${topicSysFlag}`,
      `"writeQueueNums":${writeQueueNums}`,
    ])
  })
  const order = orderTopicConf ? [`"orderTopicConf":${JSON.stringify(orderTopicConf)}`] : []
  const members = [`"brokerDatas":${list(brokers)}`, '"filterServerTable":{}', ...order]
  return `{\n\t${[...members, `"queueDatas":${list(queues)}`].join(',\n\t')}\n}`
}

function list(blocks: readonly string[]): string {
  return blocks.length === 0 ? '[]' : `[\n\t\t${blocks.join(',\n\t\t')}\n\t]`
}

function block(depth: number, members: readonly string[]): string {
  const tabs = '\t'.repeat(depth)
  return `{\n${members.map((member) => `${tabs}\t${member}`).join(',\n')}\n${tabs}}`
}

function printTable({ brokerDatas, queueDatas }: TopicRouteData, out: Output): void {
  const heads = [
    '#ClusterName',
    '#BrokerName',
    '#BrokerAddrs',
    '#ReadQueue',
    '#WriteQueue',
    '#Perm',
  ]
  out.head(ROW, ...heads)
  for (const queue of queueDatas) {
    const broker = brokerDatas.find(({ brokerName }) => brokerName === queue.brokerName)
    const addresses = [...(broker?.brokerAddrs ?? [])].map(([id, address]) => `${id}=${address}`)
    const { brokerName, readQueueNums, writeQueueNums, perm } = queue
    const shown = `{${addresses.join(', ')}}`
    out.row(ROW, broker?.cluster ?? '', brokerName, shown, readQueueNums, writeQueueNums, perm)
  }
  out.rule(RULE)
  const reads = queueDatas.reduce((sum, queue) => sum + queue.readQueueNums, 0)
  const writes = queueDatas.reduce((sum, queue) => sum + queue.writeQueueNums, 0)
  out.row(ROW, 'Total:', queueDatas.length, '', reads, writes, '')
}
