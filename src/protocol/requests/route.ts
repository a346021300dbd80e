import { ClusterInfo } from '../bodies/cluster-info.ts'
import { TopicList } from '../bodies/topic-list.ts'
import { TopicRouteData } from '../bodies/topic-route.ts'
import { bool, optional, text } from '../fields.ts'
import { RequestCode } from '../request-code.ts'
import { request } from '../request.ts'

export const GetRouteInfoByTopic = request(RequestCode.GET_ROUTEINFO_BY_TOPIC, {
  doc: 'Which brokers hold a topic, with how many queues. The version of the client chooses the dialect of the body.',
  replyBody: TopicRouteData,
  header: {
    topic: text('topic'),
    acceptStandardJsonOnly: optional(bool('acceptStandardJsonOnly')),
  },
  reply: {},
  fails: ['TOPIC_NOT_EXIST'],
})

export const GetBrokerClusterInfo = request(RequestCode.GET_BROKER_CLUSTER_INFO, {
  doc: 'Every broker with its addresses, and the clusters they form.',
  replyBody: ClusterInfo,
  header: {},
  reply: {},
  fails: [],
})

export const GetAllTopicListFromNameserver = request(
  RequestCode.GET_ALL_TOPIC_LIST_FROM_NAMESERVER,
  {
    doc: 'Every topic that some broker registered.',
    replyBody: TopicList,
    header: {},
    reply: {},
    fails: [],
  },
)

export const GetTopicsByCluster = request(RequestCode.GET_TOPICS_BY_CLUSTER, {
  doc: 'The topics of the brokers of one cluster.',
  replyBody: TopicList,
  header: { cluster: text('cluster') },
  reply: {},
  fails: [],
})

export const GetSystemTopicListFromNs = request(RequestCode.GET_SYSTEM_TOPIC_LIST_FROM_NS, {
  doc: 'The names of clusters and brokers (each is a topic too), and the address of one broker.',
  replyBody: TopicList,
  header: {},
  reply: {},
  fails: [],
})

export const GetUnitTopicList = request(RequestCode.GET_UNIT_TOPIC_LIST, {
  doc: 'Topics with the unit bit.',
  replyBody: TopicList,
  header: {},
  reply: {},
  fails: [],
})

export const GetHasUnitSubTopicList = request(RequestCode.GET_HAS_UNIT_SUB_TOPIC_LIST, {
  doc: 'Topics with the unit subscription bit.',
  replyBody: TopicList,
  header: {},
  reply: {},
  fails: [],
})

export const GetHasUnitSubUnunitTopicList = request(
  RequestCode.GET_HAS_UNIT_SUB_UNUNIT_TOPIC_LIST,
  {
    doc: 'Topics with the unit subscription bit and without the unit bit.',
    replyBody: TopicList,
    header: {},
    reply: {},
    fails: [],
  },
)

export const DeleteTopicInNamesrv = request(RequestCode.DELETE_TOPIC_IN_NAMESRV, {
  doc: 'Forget a topic, of one cluster or of all.',
  header: { topic: text('topic'), clusterName: optional(text('clusterName')) },
  reply: {},
  fails: [],
})
