/**
 * A conversation with a name server, step by step. It was held with Apache 5.3.3's, whose answers are
 * in apache-answers.json; ours must give the same ones.
 */
import { encodeRegisterBrokerCompressed } from '../../src/protocol/bodies/register-broker.ts'
import { RequestCode as C } from '../../src/protocol/request-code.ts'
import {
  ask,
  brokerFields,
  dataVersion,
  lists,
  members,
  queryVersion,
  register,
  route,
  type Step,
  wrapper,
} from './scenario-words.ts'

const A = { address: '127.0.0.1:10911' }
const A1 = { address: '127.0.0.1:11911', id: 1 }
const B = { name: 'broker-b', address: '127.0.0.1:20911' }
const C2 = { name: 'broker-c', address: '127.0.0.1:30911', cluster: 'c2' }
const two = [{ name: 'TopicTest' }, { name: 'TBW102', perm: 7, queues: 8 }]

const kv = { namespace: 'scenario', key: 'k' }

const compressed = encodeRegisterBrokerCompressed({
  filterServerList: [],
  topicConfigSerializeWrapper: {
    dataVersion: { counter: 3, stateVersion: 0, timestamp: 1_700_000_000_000 },
    topicConfigTable: new Map(
      ['TopicTest', 'Zipped'].map((topicName) => [
        topicName,
        {
          topicName,
          attributes: new Map(),
          order: true,
          perm: 6,
          readQueueNums: 5,
          writeQueueNums: 6,
          topicFilterType: 'SINGLE_TAG' as const,
          topicSysFlag: 1,
        },
      ]),
    ),
    topicQueueMappingInfoMap: new Map(),
  },
})

const mapped = wrapper([...two, { name: 'Static' }], { counter: 9 })
Object.assign(mapped.topicConfigSerializeWrapper.topicQueueMappingInfoMap, {
  Static: {
    bname: 'broker-b',
    currIdMap: { 0: 0, 1: 1 },
    dirty: false,
    epoch: 7,
    scope: '__global__',
    topic: 'Static',
    totalQueues: 4,
  },
})

export const scenario: Step[] = [
  ...lists('empty'),
  route('Nowhere'),
  members('broker-a'),
  ask('a request unknown', 9999),
  ask('a request of the broker', C.SEND_MESSAGE),
  ask('a request without its field', C.GET_TOPICS_BY_CLUSTER),
  queryVersion('version of a broker unknown', A, dataVersion(1)),
  queryVersion('version of a broker unknown, no body', A),
  ask('wipe of a broker unknown', C.WIPE_WRITE_PERM_OF_BROKER, { brokerName: 'none' }),
  ask('add of a broker unknown', C.ADD_WRITE_PERM_OF_BROKER, { brokerName: 'none' }),
  { ...ask('leave of a broker unknown', C.UNREGISTER_BROKER, brokerFields(A)) },
  ask('heartbeat of a broker unknown', C.BROKER_HEARTBEAT, brokerFields(A)),

  // key-value settings
  ask('a key unknown', C.GET_KV_CONFIG, kv),
  ask('a namespace unknown', C.GET_KVLIST_BY_NAMESPACE, { namespace: 'scenario' }),
  ask('a key unknown is deleted', C.DELETE_KV_CONFIG, kv),
  ask('a key is put', C.PUT_KV_CONFIG, { ...kv, value: 'v=1;2 ü' }),
  ask('a second key is put', C.PUT_KV_CONFIG, { ...kv, key: 'l', value: 'w' }),
  ask('a key is put without a value', C.PUT_KV_CONFIG, { ...kv, key: 'm' }),
  ask('the key', C.GET_KV_CONFIG, kv),
  ask('the namespace', C.GET_KVLIST_BY_NAMESPACE, { namespace: 'scenario' }),
  ask('the key is deleted', C.DELETE_KV_CONFIG, kv),
  ask('the other key is deleted', C.DELETE_KV_CONFIG, { ...kv, key: 'l' }),
  ask('the key after that', C.GET_KV_CONFIG, kv),
  ask('the namespace after that', C.GET_KVLIST_BY_NAMESPACE, { namespace: 'scenario' }),

  // registration
  register('a first registration with one topic', A, wrapper([{ name: 'TopicTest' }])),
  register(
    'a registration with a wrong checksum',
    { ...A, fields: { bodyCrc32: '5' } },
    wrapper(two),
  ),
  register('a registration that is no JSON', A, '{"filterServerList":['),
  ask('clusters after refusals', C.GET_BROKER_CLUSTER_INFO),
  register('a registration', A, wrapper(two)),
  route('TopicTest'),
  route('TopicTest', { version: 317, name: 'the same for an old client' }),
  ask(
    'the same for an old client that wants it strict',
    C.GET_ROUTEINFO_BY_TOPIC,
    {
      topic: 'TopicTest',
      acceptStandardJsonOnly: 'true',
    },
    { version: 317 },
  ),
  register('the same again', A, wrapper(two)),
  register('one topic more, same version', A, wrapper([...two, { name: 'Silent' }])),
  route('Silent'),
  register('other queues, same version', A, wrapper([{ name: 'TopicTest', queues: 16 }, two[1]!])),
  route('TopicTest'),
  register(
    'other queues, new version',
    A,
    wrapper([{ name: 'TopicTest', queues: 16 }, two[1]!], { counter: 2 }),
  ),
  route('TopicTest'),
  register('an older version', A, wrapper(two, { counter: 1 })),
  route('TopicTest'),
  register('one topic only, new version', A, wrapper([two[0]!], { counter: 4 })),
  ask('topics stay although the broker no longer names them', C.GET_ALL_TOPIC_LIST_FROM_NAMESERVER),
  register('compressed', { ...A, fields: { compressed: 'true' } }, compressed),
  route('Zipped'),
  register(
    'compressed, but no zlib stream',
    { ...A, fields: { compressed: 'true' } },
    Buffer.from('plain'),
  ),
  queryVersion('version, the same', A, dataVersion(3)),
  queryVersion('version, another', A, dataVersion(4)),
  queryVersion('version, another time', A, dataVersion(3, 1)),
  queryVersion('version, no body', A),
  register('without a body', { ...A, fields: { bodyCrc32: '0' } }, Buffer.alloc(0)),
  register(
    'without a body, but a checksum',
    { ...A, fields: { bodyCrc32: '77' } },
    Buffer.alloc(0),
  ),
  route('TopicTest'),
  register('of an old broker', A, wrapper(two, { counter: 11 }).topicConfigSerializeWrapper, {
    version: 30,
  }),
  route('TopicTest'),
  ask('heartbeat', C.BROKER_HEARTBEAT, brokerFields(A), { via: A.address }),

  // more brokers
  register('a slave', A1, wrapper(two)),
  members('broker-a'),
  register(
    'a second broker with unit topics',
    B,
    wrapper([
      ...two,
      { name: 'Unit', flag: 1 },
      { name: 'UnitSub', flag: 2 },
      { name: 'Both', flag: 3 },
    ]),
  ),
  register('a broker of another cluster', C2, wrapper([...two, { name: 'OnlyC' }])),
  ...lists('three'),
  route('TopicTest'),
  register(
    'a filter server',
    { ...B },
    {
      ...wrapper(two),
      filterServerList: ['127.0.0.1:5000'],
    },
  ),
  route('TopicTest'),
  register('a static topic', B, mapped),
  route('Static'),
  route('Static', { version: 317, name: 'the static topic for an old client' }),
  ask('order config of a topic', C.PUT_KV_CONFIG, {
    namespace: 'ORDER_TOPIC_CONFIG',
    key: 'TopicTest',
    value: 'broker-a:4',
  }),
  register('it comes back to a broker', B, mapped),
  route('TopicTest'),
  ask('it is deleted', C.DELETE_KV_CONFIG, { namespace: 'ORDER_TOPIC_CONFIG', key: 'TopicTest' }),

  // permissions
  ask('wipe', C.WIPE_WRITE_PERM_OF_BROKER, { brokerName: 'broker-b' }),
  route('TopicTest'),
  ask('wipe again', C.WIPE_WRITE_PERM_OF_BROKER, { brokerName: 'broker-b' }),
  register('a registration of the same version keeps it wiped', B, mapped),
  route('TopicTest'),
  ask('add', C.ADD_WRITE_PERM_OF_BROKER, { brokerName: 'broker-b' }),
  route('TopicTest'),

  // topics
  ask('a topic is deleted', C.DELETE_TOPIC_IN_NAMESRV, { topic: 'OnlyC' }),
  route('OnlyC'),
  register(
    'a registration of the same version brings it back',
    C2,
    wrapper([...two, { name: 'OnlyC' }]),
  ),
  route('OnlyC'),
  ask('a topic is deleted in one cluster', C.DELETE_TOPIC_IN_NAMESRV, {
    topic: 'TopicTest',
    clusterName: 'c2',
  }),
  route('TopicTest'),
  ask('a topic unknown is deleted', C.DELETE_TOPIC_IN_NAMESRV, { topic: 'None' }),
  ask('a topic is deleted in a cluster unknown', C.DELETE_TOPIC_IN_NAMESRV, {
    topic: 'TBW102',
    clusterName: 'none',
  }),
  route('TBW102'),
  ask(
    'a single topic',
    C.REGISTER_TOPIC_IN_NAMESRV,
    { topic: 'Single' },
    {
      body: JSON.stringify({
        brokerDatas: [],
        filterServerTable: {},
        queueDatas: [
          { brokerName: 'broker-a', perm: 6, readQueueNums: 2, writeQueueNums: 3, topicSysFlag: 0 },
          { brokerName: 'none', perm: 6, readQueueNums: 2, writeQueueNums: 3, topicSysFlag: 0 },
        ],
      }),
    },
  ),
  route('Single'),
  ask(
    'it again, with other queues',
    C.REGISTER_TOPIC_IN_NAMESRV,
    { topic: 'Single' },
    {
      body: JSON.stringify({
        brokerDatas: [],
        queueDatas: [
          { brokerName: 'broker-a', perm: 4, readQueueNums: 9, writeQueueNums: 9, topicSysFlag: 0 },
          { brokerName: 'broker-b', perm: 6, readQueueNums: 1, writeQueueNums: 1, topicSysFlag: 0 },
        ],
      }),
    },
  ),
  route('Single'),
  ask(
    'a single topic of brokers unknown',
    C.REGISTER_TOPIC_IN_NAMESRV,
    { topic: 'Lost' },
    {
      body: JSON.stringify({
        brokerDatas: [],
        queueDatas: [
          { brokerName: 'none', perm: 6, readQueueNums: 2, writeQueueNums: 3, topicSysFlag: 0 },
        ],
      }),
    },
  ),
  route('Lost'),
  ask(
    'a single topic without queues',
    C.REGISTER_TOPIC_IN_NAMESRV,
    { topic: 'Lost' },
    { body: '{}' },
  ),
  ask('a single topic without a body', C.REGISTER_TOPIC_IN_NAMESRV, { topic: 'Lost' }),
  ask('all topics', C.GET_ALL_TOPIC_LIST_FROM_NAMESERVER),

  // who is who
  register('the slave becomes the master', { ...A1, id: 0 }, wrapper(two, { stateVersion: 1 })),
  members('broker-a'),
  register('the old master comes back with an older state', A, wrapper(two, { counter: 12 })),
  members('broker-a'),
  register(
    'the old master comes back with a newer state',
    A,
    wrapper(two, { counter: 12, stateVersion: 2 }),
  ),
  members('broker-a'),
  register('a slave of it', A1, wrapper(two, { stateVersion: 2, counter: 5 })),
  members('broker-a'),
  members('broker-a', 'c2'),
  register(
    'a slave alone',
    { name: 'broker-d', address: '127.0.0.1:40911', id: 1 },
    wrapper([...two, { name: 'OnlyD' }]),
  ),
  route('OnlyD'),
  register(
    'a slave alone that may act as master',
    {
      name: 'broker-e',
      address: '127.0.0.1:41911',
      id: 2,
      fields: { enableActingMaster: 'true' },
    },
    wrapper([...two, { name: 'OnlyE' }]),
  ),
  route('OnlyE'),
  register(
    'a broker that says nothing of acting masters',
    {
      name: 'broker-f',
      address: '127.0.0.1:42911',
      id: 1,
      fields: { enableActingMaster: '' },
    },
    wrapper([...two, { name: 'OnlyF' }]),
  ),
  route('OnlyF'),
  register(
    'a broker of a zone',
    {
      name: 'broker-g',
      address: '127.0.0.1:43911',
      fields: { __ZONE_NAME: 'z1' },
    },
    wrapper([...two, { name: 'Zoned' }]),
  ),
  route('Zoned'),
  ask('the route for another zone', C.GET_ROUTEINFO_BY_TOPIC, {
    topic: 'TopicTest',
    __ZONE_MODE: 'true',
    __ZONE_NAME: 'z1',
  }),
  ask('the route for no zone', C.GET_ROUTEINFO_BY_TOPIC, {
    topic: 'TopicTest',
    __ZONE_MODE: 'false',
    __ZONE_NAME: 'z1',
  }),

  // leaving
  ask('a broker leaves', C.UNREGISTER_BROKER, brokerFields(C2), { via: C2.address }),
  ask('clusters without it', C.GET_BROKER_CLUSTER_INFO),
  route('OnlyC'),
  { name: 'the connection of a broker ends', via: B.address, close: true, code: 0 },
  ask('clusters without that', C.GET_BROKER_CLUSTER_INFO),
  route('Unit'),
  ask('a master leaves its slave', C.UNREGISTER_BROKER, brokerFields(A), { via: A.address }),
  route('TopicTest'),
  ask(
    'it leaves under another address',
    C.UNREGISTER_BROKER,
    brokerFields({ ...A1, address: '127.0.0.1:1' }),
  ),
  members('broker-a'),
]
