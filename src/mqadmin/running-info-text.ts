import type { ConsumerRunningInfo } from '../protocol/bodies/running-info.ts'
import { humanTime, printf } from './printf.ts'

type Section = readonly string[]

/** As Apache 5.3.3 prints it (ConsumerRunningInfo.formatString), columns that do not meet their heads and all. */
export function runningInfoText(info: ConsumerRunningInfo): string {
  const sections: Section[] = [
    properties(info),
    subscriptions(info),
    offsets(info),
    queues(info),
    popQueues(info),
    speeds(info),
    userInfo(info),
    ...(info.jstack === undefined ? [] : [['#Consumer jstack#', info.jstack]]),
  ]
  return sections.map((lines) => lines.join('\n')).join('\n\n\n')
}

function properties(info: ConsumerRunningInfo): Section {
  const lines = [...info.properties].map(([name, value]) => printf('%-40s: %s', name, value))
  return ['#Consumer Properties#', ...lines]
}

function subscriptions({ subscriptionSet }: ConsumerRunningInfo): Section {
  const lines = subscriptionSet.map(({ topic, classFilterMode, subString }, nth) =>
    printf(
      '%03d Topic: %-40s ClassFilter: %-8s SubExpression: %s',
      nth + 1,
      topic,
      classFilterMode,
      subString,
    ),
  )
  return ['#Consumer Subscription#', ...lines]
}

function offsets({ mqTable }: ConsumerRunningInfo): Section {
  const lines = mqTable.map(([{ topic, brokerName, queueId }, { commitOffset }]) =>
    printf('%-32s  %-32s  %-4d  %-20d', topic, brokerName, queueId, commitOffset),
  )
  return ['#Consumer Offset#', head('%-64s', '#Consumer Offset'), ...lines]
}

function queues({ mqTable }: ConsumerRunningInfo): Section {
  const lines = mqTable.map(([{ topic, brokerName, queueId }, info]) =>
    printf('%-64s  %-32s  %-4d  %s', topic, brokerName, queueId, queueText(info)),
  )
  return ['#Consumer MQ Detail#', head('%-64s', '#ProcessQueueInfo'), ...lines]
}

function popQueues({ mqPopTable }: ConsumerRunningInfo): Section {
  const lines = mqPopTable.map(([{ topic, brokerName, queueId }, info]) => {
    const { waitAckCount, droped, lastPopTimestamp } = info
    const text = `PopProcessQueueInfo [waitAckCount:${waitAckCount}, droped:${droped}, lastPopTimestamp:${lastPopTimestamp}]`
    return printf('%-32s  %-32s  %-4d  %s', topic, brokerName, queueId, text)
  })
  return ['#Consumer Pop Detail#', head('%-32s', '#ProcessQueueInfo'), ...lines]
}

function head(topicWidth: string, last: string): string {
  return printf(`${topicWidth}  %-32s  %-4s  %-20s`, '#Topic', '#Broker Name', '#QID', last)
}

/** All fields in Apache's order; times as yyyyMMddHHmmssSSS. */
function queueText(info: ConsumerRunningInfo['mqTable'][number][1]): string {
  const fields: [string, unknown][] = [
    ['commitOffset', info.commitOffset],
    ['cachedMsgMinOffset', info.cachedMsgMinOffset],
    ['cachedMsgMaxOffset', info.cachedMsgMaxOffset],
    ['cachedMsgCount', info.cachedMsgCount],
    ['cachedMsgSizeInMiB', info.cachedMsgSizeInMiB],
    ['transactionMsgMinOffset', info.transactionMsgMinOffset],
    ['transactionMsgMaxOffset', info.transactionMsgMaxOffset],
    ['transactionMsgCount', info.transactionMsgCount],
    ['locked', info.locked],
    ['tryUnlockTimes', info.tryUnlockTimes],
    ['lastLockTimestamp', digits(info.lastLockTimestamp)],
    ['droped', info.droped],
    ['lastPullTimestamp', digits(info.lastPullTimestamp)],
    ['lastConsumeTimestamp', digits(info.lastConsumeTimestamp)],
  ]
  return `ProcessQueueInfo [${fields.map((pair) => pair.join('=')).join(', ')}]`
}

function digits(ms: number): string {
  return humanTime(ms).replace(/\D/g, '')
}

function speeds({ statusTable }: ConsumerRunningInfo): Section {
  const heads = ['#Topic', '#Pull RT', '#Pull TPS', '#Consume RT', '#ConsumeOK TPS']
  const more = ['#ConsumeFailed TPS', '#ConsumeFailedMsgsInHour']
  const lines = [...statusTable].map(([topic, status]) =>
    printf(
      '%-32s  %14.2f %14.2f %14.2f %14.2f %18.2f %25d',
      topic,
      status.pullRT,
      status.pullTPS,
      status.consumeRT,
      status.consumeOKTPS,
      status.consumeFailedTPS,
      status.consumeFailedMsgs,
    ),
  )
  const row = printf('%-64s  %14s %14s %14s %14s %18s %25s', ...heads, ...more)
  return ['#Consumer RT&TPS#', row, ...lines]
}

function userInfo({ userConsumerInfo }: ConsumerRunningInfo): Section {
  const lines = [...userConsumerInfo].map(([name, value]) => printf('%-40s: %s', name, value))
  return ['#User Consume Info#', ...lines]
}
