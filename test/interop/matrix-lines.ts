/** One command line of the matrix. */
export interface Line {
  /** `$name` stands for something of the cluster, see MatrixCluster. */
  line: string
  /** What is not compared: it differs on purpose (docs/compatibility.md says why), or with the moment. */
  without?: RegExp
  /** Keys that only one of the brokers has are left out; so many must be left. */
  sharedAtLeast?: number
}

/** Apache's broker takes a topic for one of its own groups. */
const TRACK_OF_TOPIC = /MessageTrack \[consumerGroup=Watched(?:(?!MessageTrack)[^])*/g

/** They change nothing. */
export const QUESTIONS: readonly Line[] = [
  { line: 'topicList' },
  { line: 'topicList -c', without: /.*Watched +Watched.*|CID_RMQ_SYS_TRANS/g },
  { line: 'topicRoute -t Watched' },
  { line: 'topicRoute -t Watched -l' },
  { line: 'topicStatus -t Watched', without: /(?<=Put TPS: ).*/g },
  { line: 'topicClusterList -t Watched' },
  // How far the timer of Apache is behind, and how full the disk is: another program may have written between.
  { line: 'clusterList', without: /(?<= )\d+-\d+(?=\()|(?<= )[01]\.\d{4}(?= )/g },
  { line: 'clusterList -m' },
  {
    line: 'brokerStatus -b $broker',
    without:
      /(?<=^(?:commitLogDi|consumeQueueDi|get|runtime|putM\w+Time|putTps|timerRead)\w* *: ).*/gm,
    sharedAtLeast: 55,
  },
  { line: 'queryMsgById -t Watched -i $offsetId', without: TRACK_OF_TOPIC },
  { line: 'queryMsgByKey -t Watched -k key-3' },
  {
    line: 'queryMsgByUniqueKey -t Watched -i $unique5',
    without: TRACK_OF_TOPIC,
  },
  {
    line: 'queryMsgByOffset -t Watched -b broker-a -i 1 -o 0',
    without: TRACK_OF_TOPIC,
  },
  { line: 'printMsg -t Watched -d true' },
  { line: 'printMsgByQueue -t Watched -a broker-a -i 2 -p true -d true' },
  { line: 'brokerConsumeStats -b $broker' },
  { line: 'consumerConnection -g watchers' },
  { line: 'consumerProgress' },
  { line: 'consumerProgress -g watchers' },
  {
    line: 'consumerProgress -g idle',
    without: /(?<=^Watched +\S+ +\d+ +\d+ +\d+ +\d+ +)\d+|(?<=Inflight Total: ).*/gm,
  },
  { line: 'consumerStatus -g watchers' },
  { line: 'getConsumerConfig -g idle' },
  { line: 'statsAll -t Watched', without: /^Watched +Watched.*|(?<=^Watched +\w+ +\d+ ).*/gm },
  { line: 'allocateMQ -t Watched -i 10.0.0.1,10.0.0.2' },
  { line: 'getNamesrvConfig -n $server', without: /kvConfigPath.*/g, sharedAtLeast: 10 },
  { line: 'getBrokerConfig -b $broker', sharedAtLeast: 60 },
  { line: 'queryCq -t Watched -q 1 -i 0 -c 3' },
  { line: 'producer -b $broker' },
  { line: 'producerConnection -g CLIENT_INNER_PRODUCER -t Watched' },
  { line: 'haStatus -b $broker' },
  { line: 'exportConfigs -c DefaultCluster -f $folder' },
  { line: 'exportMetadata -c DefaultCluster -f $folder' },
  { line: 'exportMetrics -c DefaultCluster -f $folder' },
]

/** Each is run twice on each cluster: what it says the second time must be the same. */
export const CHANGES: readonly Line[] = [
  { line: 'updateTopic -c DefaultCluster -t Made -r 2 -w 2' },
  { line: 'updateTopicPerm -c DefaultCluster -t Made -p 6' },
  { line: 'topicRoute -t Made' },
  { line: 'updateOrderConf -t Made -m put -v broker-a:2' },
  { line: 'updateOrderConf -t Made -m get' },
  { line: 'updateOrderConf -t Made -m delete' },
  { line: 'updateKvConfig -s SPACE -k key -v value' },
  { line: 'deleteKvConfig -s SPACE -k key' },
  { line: 'updateSubGroup -c DefaultCluster -g made -s true -m false -d false -q 1 -r 5' },
  { line: 'getConsumerConfig -g made' },
  { line: 'cloneGroupOffset -s watchers -d idle -t Watched -o true' },
  { line: 'skipAccumulatedMessage -g idle -t Watched -f true' },
  { line: 'resetOffsetByTime -g idle -t Watched -s 0' },
  { line: 'updateBrokerConfig -b $broker -k maxTransferCountOnMessageInMemory -v 33' },
  { line: 'updateNamesrvConfig -n $server -k scanNotActiveBrokerInterval -v 5000' },
  { line: 'wipeWritePerm -b broker-a -n $server' },
  { line: 'addWritePerm -b broker-a -n $server' },
  { line: 'cleanExpiredCQ -c DefaultCluster' },
  { line: 'cleanUnusedTopic -c DefaultCluster' },
  { line: 'deleteSubGroup -c DefaultCluster -g made' },
  { line: 'deleteTopic -c DefaultCluster -t Made' },
  { line: 'consumeMessage -t Watched -b broker-a -i 1 -o 0 -c 2' },
  { line: 'sendMessage -t Made2 -b broker-a -i 0 -p body -k key -c tag' },
  { line: 'sendMsgStatus -b broker-a -s 10 -c 2', without: /(?<=rt=|queueOffset=)\d+/g },
  {
    line: 'checkMsgSendRT -t Watched -a 3 -s 10',
    without: /^RT ms:.*|(?<=^broker-a +\d+ +true +)\d+/gm,
  },
]
