/** Settings of POP consumption. */
import { bool, int, long, oneOf } from './setting.ts'

export const popSettings = {
  popFromRetryProbability: int({
    default: 20,
    min: 0,
    max: 100,
    doc: 'Of 100 pops, so many look into the retry topic first; the others do when the topic does not fill them.',
  }),
  enableRetryTopicV2: bool({
    default: false,
    doc: 'Retry topics of POP are `%RETRY%group+topic`, not `%RETRY%group_topic`.',
  }),
  retrieveMessageFromPopRetryTopicV1: bool({
    default: true,
    doc: 'With enableRetryTopicV2, every second pop looks into the retry topic of the old form.',
  }),
  popResponseReturnActualRetryTopic: bool({
    default: false,
    doc: 'Retried messages are given under their retry topic, not under the topic that was popped.',
  }),
  enablePopMessageThreshold: bool({
    default: false,
    doc: 'A group with more than popInflightMessageThreshold messages of a queue in flight gets no more of it.',
  }),
  popInflightMessageThreshold: long({
    default: 10_000,
    min: 1,
    doc: 'Messages of one queue that a group may have popped and not acknowledged.',
  }),
  popCkMaxBufferSize: int({
    default: 200_000,
    min: 1,
    doc: 'Check points that may be open at the same time; beyond that pops are answered POLLING_FULL.',
  }),
  initPopOffsetByCheckMsgInMem: bool({
    default: true,
    doc: 'A new group begins with the first message of a queue that is all in memory, wherever it wanted to begin.',
  }),
  popPollingSize: int({
    default: 1024,
    min: 0,
    doc: 'Pops of one group that may wait for one topic and queue.',
  }),
  popPollingMapSize: int({
    default: 100_000,
    min: 1,
    doc: 'Groups, each with a topic and queue, that pops may wait for.',
  }),
  maxPopPollingSize: long({
    default: 100_000,
    min: 0,
    doc: 'Pops that may wait in all.',
  }),
  serverLoadBalancerEnable: bool({
    default: true,
    doc: 'Share queues out among consumers that ask for it; if false, each gets all of them.',
  }),
  defaultMessageRequestMode: oneOf(
    'PULL',
    'POP',
  )({
    default: 'PULL',
    doc: 'How consumers that ask are to consume a topic that nobody set it for.',
  }),
  defaultPopShareQueueNum: int({
    default: -1,
    min: -1,
    doc: 'With POP by default: consumers that share a queue besides its own. -1 or 0: all share all.',
  }),
}
