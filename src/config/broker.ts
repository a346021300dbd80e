/** Settings of the broker: with those of the store and the listener, what stands in `broker.conf`. */
import { availableParallelism, hostname } from 'node:os'

import { apacheBrokerKeys } from './apache-keys.ts'
import { ConfigError, type Declaration, type Mutable } from './load.ts'
import { localAddress } from './local-address.ts'
import { popSettings } from './pop.ts'
import { serverSettings } from './server.ts'
import {
  addresses,
  bool,
  type ConfigOf,
  derived,
  host,
  int,
  long,
  milliseconds,
  name,
  port,
  text,
} from './setting.ts'
import { checkStore, storeSettings } from './store.ts'
import { timerSettings } from './timer.ts'

const identitySettings = {
  namesrvAddr: addresses({
    default: derived('$NAMESRV_ADDR', (_, environment) => environment.NAMESRV_ADDR ?? ''),
    important: true,
    doc: 'Name servers to register with. None: the broker works, but clients cannot find it.',
  }),
  listenPort: port({
    default: 10911,
    important: true,
    doc: 'Port that clients connect to. The port two below it is opened too, for clients with the VIP channel on, so 1 and 2 are refused. 0 lets the system choose.',
  }),
  brokerIP1: host({
    default: derived('bindAddress, or the first address of the machine', outwardAddress),
    important: true,
    doc: 'Address that clients are told to connect to. Set it in a container: the address found there cannot be reached from outside.',
  }),
  brokerIP2: host({
    default: derived('bindAddress, or the first address of the machine', outwardAddress),
    doc: 'Address that slaves are told to connect to.',
  }),
  brokerName: name({
    default: derived('the host name', () => hostname()),
    important: true,
    doc: 'Name of the group of master and slaves that this broker belongs to.',
  }),
  brokerClusterName: text({
    default: 'DefaultCluster',
    important: true,
    doc: 'Cluster that the broker registers under.',
  }),
  brokerId: long({
    default: 0,
    min: 0,
    important: true,
    doc: '0 is the master. A master with another number is corrected to 0.',
  }),
  regionId: text({
    default: 'DefaultRegion',
    doc: 'Region named in send replies; clients put it into their traces.',
  }),
}

const topicSettings = {
  brokerPermission: int({
    default: 6,
    min: 0,
    max: 7,
    doc: 'What clients may do with the whole broker: 2 write, 4 read, 6 both.',
  }),
  autoCreateTopicEnable: bool({
    default: true,
    important: true,
    doc: 'The first send to an unknown topic creates it. Turn it off in production.',
  }),
  defaultTopicQueueNums: int({
    default: 8,
    min: 1,
    doc: 'Most queues that a topic created by its first send may have.',
  }),
  clusterTopicEnable: bool({
    default: true,
    doc: 'Keep a topic with the name of the cluster, which tools send their probes to.',
  }),
  brokerTopicEnable: bool({
    default: true,
    doc: 'Keep a topic with the name of the broker, which tools send their probes to.',
  }),
  autoCreateSubscriptionGroup: bool({
    default: true,
    important: true,
    doc: 'A consumer group is created when it is first used.',
  }),
  storeReplyMessageEnable: bool({
    default: true,
    doc: 'Store the answers of request-reply messages, which are passed on either way, in the topic <cluster>_REPLY_TOPIC.',
  }),
  dedupEntriesMax: int({
    default: 200_000,
    min: 1,
    own: true,
    doc: 'Messages that are remembered for the topic attribute dedup.window.ms, of all topics together, about 300 bytes each. With more of them the oldest are forgotten before their time, and the log says so.',
  }),
  traceTopicEnable: bool({
    default: false,
    doc: 'Keep a topic that clients send their message traces to.',
  }),
  msgTraceTopicName: name({
    default: 'RMQ_SYS_TRACE_TOPIC',
    doc: 'Name of the topic of message traces.',
  }),
  traceOn: bool({
    default: true,
    doc: 'Send replies tell clients that traces are wanted.',
  }),
}

const transactionSettings = {
  transactionTimeOut: milliseconds({
    default: 6000,
    min: 0,
    doc: 'How old an open transaction is before its producers are asked about it.',
  }),
  transactionCheckInterval: milliseconds({
    default: 30_000,
    min: 100,
    doc: 'Time between two rounds of asking about open transactions.',
  }),
  transactionCheckMax: int({
    default: 15,
    min: 1,
    doc: 'How often producers are asked about one; then it is kept aside in TRANS_CHECK_MAX_TIME_TOPIC.',
  }),
}

const consumerSettings = {
  flushConsumerOffsetInterval: milliseconds({
    default: 5000,
    doc: 'Time between two writes of consumerOffset.json.',
  }),
  enablePropertyFilter: bool({
    default: false,
    doc: 'Consumers may choose messages by their properties (SQL92).',
  }),
  longPollingEnable: bool({
    default: true,
    doc: 'A pull that finds nothing waits as long as the client asks for.',
  }),
  shortPollingTimeMills: long({
    default: 1000,
    min: 1,
    unit: 'ms',
    doc: 'How long a pull waits when longPollingEnable is false.',
  }),
  litePullMessageEnable: bool({
    default: true,
    doc: 'Answer the pulls of lite consumers.',
  }),
  notifyConsumerIdsChangedEnable: bool({
    default: true,
    doc: 'Tell the consumers of a group at once when one comes or goes.',
  }),
  strictSubscription: bool({
    default: false,
    own: true,
    doc: 'Refuse the heartbeat of a consumer that subscribes to something else than the other members of its group, instead of a line in the log. All members must stop before a group can subscribe to something else.',
  }),
  channelExpiredTimeout: long({
    default: 120_000,
    min: 1,
    unit: 'ms',
    doc: 'A client without a heartbeat for this long is taken for gone.',
  }),
}

const registrationSettings = {
  registerNameServerPeriod: milliseconds({
    default: 30_000,
    doc: 'Time between two registrations with the name servers.',
  }),
  registerBrokerTimeoutMills: milliseconds({
    default: 24_000,
    doc: 'How long a registration may take.',
  }),
  forceRegister: bool({
    default: true,
    doc: 'Register each time in full. If false, only when a topic has changed.',
  }),
  compressedRegister: bool({
    default: false,
    doc: 'Compress what is sent to the name servers.',
  }),
  networkWorkers: int({
    default: derived('1 up to 2 cores, else cores - 1, at most 4', defaultNetworkWorkers),
    min: 1,
    max: 31, // one bit per worker in the rows, and one for main
    own: true,
    doc: 'Threads that serve connections.',
  }),
}

const brokerSettings = {
  ...identitySettings,
  ...serverSettings,
  ...topicSettings,
  ...transactionSettings,
  ...consumerSettings,
  ...popSettings,
  ...registrationSettings,
  ...storeSettings,
  ...timerSettings,
}

export type BrokerConfig = ConfigOf<typeof brokerSettings>

export const brokerDeclaration: Declaration<typeof brokerSettings> = {
  program: 'broker',
  settings: brokerSettings,
  apacheKeys: apacheBrokerKeys,
  check: checkBroker,
}

function checkBroker(config: Mutable<BrokerConfig>, warn: (warning: string) => void): void {
  checkStore(config, warn)
  checkPort(config)
  checkTraceTopic(config)
  if (config.brokerId !== 0) {
    warn(
      `brokerId=${config.brokerId} is corrected to 0: brokerRole=${config.brokerRole} is a master`,
    )
    config.brokerId = 0
  }
}

/** Apache 5.3.3 opens any port as the second, which no client knows. */
function checkPort({ listenPort }: BrokerConfig): void {
  if (listenPort !== 1 && listenPort !== 2) return
  const allowed = `0, or a number from 3 to 65535: the broker listens at listenPort - 2, too, which ${listenPort - 2} cannot be`
  throw new ConfigError({ key: 'listenPort', value: String(listenPort), allowed })
}

function checkTraceTopic({ msgTraceTopicName }: BrokerConfig): void {
  if (/^[%|\w-]{1,127}$/.test(msgTraceTopicName)) return
  const allowed = 'a topic: 1 to 127 letters, digits and % | _ -'
  throw new ConfigError({ key: 'msgTraceTopicName', value: msgTraceTopicName, allowed })
}

/** Other machines reach a broker where it listens, or on the machine's own address if that is everywhere. */
function outwardAddress({ bindAddress }: Readonly<Record<string, unknown>>): string {
  const everywhere = bindAddress === '0.0.0.0' || bindAddress === '::'
  return everywhere ? localAddress() : String(bindAddress)
}

function defaultNetworkWorkers(): number {
  const cores = availableParallelism()
  return cores <= 2 ? 1 : Math.min(4, cores - 1)
}
