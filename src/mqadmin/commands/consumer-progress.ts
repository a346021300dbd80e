import { ResponseError } from '../../protocol/response-error.ts'
import { AdminError, type Call, type Command } from '../command.ts'
import {
  brokersOfGroup,
  clientsOf,
  connectionOf,
  consumeStats,
  groupNames,
  isOffline,
  type QueueStats,
  runningInfo,
} from '../consumer-groups.ts'
import type { ConsumerConnection } from '../../protocol/bodies/connections.ts'
import { cut, humanTime } from '../printf.ts'
import { Problems } from '../problems.ts'
import { versionText } from '../../protocol/version-text.ts'

const QUEUE_COLUMNS = '%-64s  %-32s  %-4s  %-20s  %-20s'
const DIFF_HEADS = '%-20s %-20s%s'
const DIFF_COLUMNS = '%-20s %-20s %s'
const GROUP_ROW = '%-64s  %-6s  %-24s %-5s  %-14s  %-7s  %s'
const GROUPS_AT_ONCE = 32

export const command: Command = {
  name: 'consumerProgress',
  doc: 'Show how far a group has come in each queue, or how far all groups are behind.',
  options: [
    { short: 'g', long: 'groupName', doc: 'consumer group; without it all groups' },
    { short: 't', long: 'topicName', doc: 'only this topic' },
    { short: 's', long: 'showClientIP', doc: 'who consumes each queue (true|false), else false' },
    { short: 'c', long: 'cluster', doc: 'only brokers of this cluster' },
  ],
  run: (call) => (call.options.has('g') ? oneGroup(call) : allGroups(call)),
}

async function oneGroup(call: Call): Promise<void> {
  const { options, admin, out } = call
  const group = options.needed('g')
  const addresses = await brokersOfGroup(admin, group, options.text('c'))
  const topic = options.text('t')
  const { consumeTps, queues } = await consumeStats(admin, group, { topic, addresses })
  if (queues.length === 0 && topic !== null) {
    throw new AdminError(
      `group ${group} consumes no topic ${topic}: leave out -t for all that it does`,
    )
  }
  const owners = options.boolean('s', false) ? await ownersOf(call, group, addresses) : null
  printQueues(call, queues, owners)
  out.line('')
  out.line('Consume TPS: %.2f', consumeTps)
  out.line('Consume Diff Total: %d', sum(queues, diff))
  out.line('Consume Inflight Total: %d', sum(queues, inflight))
  const rows = queues.map((each) => ({
    ...each[0],
    ...each[1],
    clientIp: owners === null ? undefined : ownerOf(owners, each),
  }))
  out.data({ consumeTps, diffTotal: sum(queues, diff), queues: rows })
}

function printQueues(
  { out }: Call,
  queues: readonly QueueStats[],
  owners: ReadonlyMap<string, string> | null,
): void {
  const pattern = (last: string) => `${QUEUE_COLUMNS}  ${owners === null ? '' : '%-20s '}${last}`
  const client = (text: string) => (owners === null ? [] : [text])
  const heads = ['#Topic', '#Broker Name', '#QID', '#Broker Offset', '#Consumer Offset']
  const last = ['#Diff', '#Inflight', '#LastTime']
  out.head(pattern(DIFF_HEADS), ...heads, ...client('#Client IP'), ...last)
  for (const each of queues) {
    const [{ topic, brokerName, queueId }, { brokerOffset, consumerOffset, lastTimestamp }] = each
    out.row(
      pattern(DIFF_COLUMNS),
      cut(topic, 64),
      cut(brokerName, 32),
      queueId,
      brokerOffset,
      consumerOffset,
      ...client(owners === null ? '' : ownerOf(owners, each)),
      diff(each),
      inflight(each),
      lastTimestamp > 0 ? humanTime(lastTimestamp).slice(0, 19) : 'N/A',
    )
  }
}

/** The first part of a client id, which is an IP address as a rule, by queue. */
async function ownersOf(
  { admin }: Call,
  consumerGroup: string,
  addresses: readonly string[],
): Promise<Map<string, string>> {
  const owners = new Map<string, string>()
  const connection = await connectionOf(admin, consumerGroup, addresses).catch(orNull(isOffline))
  for (const { clientId } of connection === null ? [] : clientsOf(connection)) {
    const asked = { consumerGroup, clientId, jstackEnable: false }
    const info = await runningInfo(admin, asked, addresses).catch(orNull(isRefusal))
    for (const [queue] of info?.mqTable ?? []) owners.set(keyOf(queue), clientId.split('@')[0]!)
  }
  return owners
}

function ownerOf(owners: ReadonlyMap<string, string>, [queue]: QueueStats): string {
  return owners.get(keyOf(queue)) ?? 'N/A'
}

function keyOf({ topic, brokerName, queueId }: QueueStats[0]): string {
  return `${topic} ${brokerName} ${queueId}`
}

interface GroupRow {
  group: string
  count: number
  version: string
  type: string
  model: string
  tps: number
  diffTotal: number
}

async function allGroups({ admin, out, progress }: Call): Promise<void> {
  const groups = await groupNames(admin)
  const rows: GroupRow[] = []
  const problems = new Problems()
  using bar = progress(groups.length, 'groups')
  for (let at = 0; at < groups.length; at += GROUPS_AT_ONCE) {
    const lot = groups.slice(at, at + GROUPS_AT_ONCE)
    const found = await Promise.all(
      lot.map((group) => groupRow(admin, group).catch(orNull(isGone)).catch(noted(problems))),
    )
    rows.push(...found.filter((row) => row !== null))
    bar.show(at + lot.length)
  }
  rows.sort((a, b) => b.diffTotal - a.diffTotal || (a.group < b.group ? -1 : 1))
  out.head(GROUP_ROW, '#Group', '#Count', '#Version', '#Type', '#Model', '#TPS', '#Diff Total')
  for (const { group, count, version, type, model, tps, diffTotal } of rows) {
    out.row(GROUP_ROW, cut(group, 64), count, version, type, model, Math.floor(tps), diffTotal)
  }
  out.data(rows)
  problems.end()
}

function noted(problems: Problems): (error: unknown) => null {
  return (error) => {
    problems.add(error)
    return null
  }
}

async function groupRow(admin: Call['admin'], group: string): Promise<GroupRow> {
  const addresses = await brokersOfGroup(admin, group)
  const connection = await connectionOf(admin, group, addresses).catch(orNull(isOffline))
  const { consumeTps: tps, queues } = await consumeStats(admin, group, { topic: null, addresses })
  return { group, ...membersOf(connection), tps, diffTotal: sum(queues, diff) }
}

function membersOf(
  connection: ConsumerConnection | null,
): Pick<GroupRow, 'count' | 'version' | 'type' | 'model'> {
  if (connection === null) return { count: 0, version: 'OFFLINE', type: '', model: '' }
  const { connectionSet, consumeType, messageModel: model } = connection
  const oldest = Math.min(...connectionSet.map(({ version }) => version))
  const type = consumeType === 'CONSUME_ACTIVELY' ? 'PULL' : 'PUSH'
  return { count: connectionSet.length, version: versionText(oldest), type, model }
}

function diff([, { brokerOffset, consumerOffset }]: QueueStats): number {
  return brokerOffset - consumerOffset
}

function inflight([, { pullOffset, consumerOffset }]: QueueStats): number {
  return pullOffset - consumerOffset
}

function sum(queues: readonly QueueStats[], of: (each: QueueStats) => number): number {
  return queues.reduce((total, each) => total + of(each), 0)
}

/** It was deleted since the list was made. */
function isGone(error: unknown): boolean {
  return error instanceof AdminError
}

function isRefusal(error: unknown): boolean {
  return error instanceof ResponseError
}

/** What may be missing is null; other errors go on. */
function orNull(isExpected: (error: unknown) => boolean): (error: unknown) => null {
  return (error) => {
    if (isExpected(error)) return null
    throw error
  }
}
