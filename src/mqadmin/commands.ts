import type { Command } from './command.ts'
import type { RefusedName } from './refused.ts'

type Loader = () => Promise<{ command: Command }>

/** What is only for parts of Apache's that RingMQ does not have. */
function refused(name: RefusedName): Loader {
  return async () => ({ command: (await import('./refused.ts')).refusedCommand(name) })
}

/** In the order of Apache's list. Each is loaded when it is needed: a start reads one of them. */
const LOADERS: Readonly<Record<string, Loader>> = {
  updateTopic: () => import('./commands/update-topic.ts'),
  updateTopicList: () => import('./commands/update-topic-list.ts'),
  deleteTopic: () => import('./commands/delete-topic.ts'),
  updateSubGroup: () => import('./commands/update-sub-group.ts'),
  updateSubGroupList: () => import('./commands/update-sub-group-list.ts'),
  setConsumeMode: () => import('./commands/set-consume-mode.ts'),
  deleteSubGroup: () => import('./commands/delete-sub-group.ts'),
  updateBrokerConfig: () => import('./commands/update-broker-config.ts'),
  updateTopicPerm: () => import('./commands/update-topic-perm.ts'),
  topicRoute: () => import('./commands/topic-route.ts'),
  topicStatus: () => import('./commands/topic-status.ts'),
  topicClusterList: () => import('./commands/topic-cluster-list.ts'),
  addBroker: refused('addBroker'),
  removeBroker: refused('removeBroker'),
  resetMasterFlushOffset: refused('resetMasterFlushOffset'),
  brokerStatus: () => import('./commands/broker-status.ts'),
  queryMsgById: () => import('./commands/query-msg-by-id.ts'),
  queryMsgByKey: () => import('./commands/query-msg-by-key.ts'),
  queryMsgByUniqueKey: () => import('./commands/query-msg-by-unique-key.ts'),
  queryMsgByOffset: () => import('./commands/query-msg-by-offset.ts'),
  queryMsgTraceById: () => import('./commands/query-msg-trace-by-id.ts'),
  printMsg: () => import('./commands/print-msg.ts'),
  printMsgByQueue: () => import('./commands/print-msg-by-queue.ts'),
  sendMsgStatus: () => import('./commands/send-msg-status.ts'),
  brokerConsumeStats: () => import('./commands/broker-consume-stats.ts'),
  producerConnection: () => import('./commands/producer-connection.ts'),
  consumerConnection: () => import('./commands/consumer-connection.ts'),
  consumerProgress: () => import('./commands/consumer-progress.ts'),
  consumerStatus: () => import('./commands/consumer-status.ts'),
  cloneGroupOffset: () => import('./commands/clone-group-offset.ts'),
  producer: () => import('./commands/producer.ts'),
  clusterList: () => import('./commands/cluster-list.ts'),
  topicList: () => import('./commands/topic-list.ts'),
  updateKvConfig: () => import('./commands/update-kv-config.ts'),
  deleteKvConfig: () => import('./commands/delete-kv-config.ts'),
  wipeWritePerm: () => import('./commands/wipe-write-perm.ts'),
  addWritePerm: () => import('./commands/add-write-perm.ts'),
  resetOffsetByTime: () => import('./commands/reset-offset-by-time.ts'),
  skipAccumulatedMessage: () => import('./commands/skip-accumulated-message.ts'),
  updateOrderConf: () => import('./commands/update-order-conf.ts'),
  cleanExpiredCQ: () => import('./commands/clean-expired-cq.ts'),
  deleteExpiredCommitLog: () => import('./commands/delete-expired-commit-log.ts'),
  cleanUnusedTopic: () => import('./commands/clean-unused-topic.ts'),
  startMonitoring: () => import('./commands/start-monitoring.ts'),
  statsAll: () => import('./commands/stats-all.ts'),
  allocateMQ: () => import('./commands/allocate-mq.ts'),
  checkMsgSendRT: () => import('./commands/check-msg-send-rt.ts'),
  clusterRT: () => import('./commands/cluster-rt.ts'),
  getNamesrvConfig: () => import('./commands/get-namesrv-config.ts'),
  updateNamesrvConfig: () => import('./commands/update-namesrv-config.ts'),
  getBrokerConfig: () => import('./commands/get-broker-config.ts'),
  getConsumerConfig: () => import('./commands/get-consumer-config.ts'),
  queryCq: () => import('./commands/query-cq.ts'),
  sendMessage: () => import('./commands/send-message.ts'),
  consumeMessage: () => import('./commands/consume-message.ts'),
  updateStaticTopic: refused('updateStaticTopic'),
  remappingStaticTopic: refused('remappingStaticTopic'),
  exportMetadataInRocksDB: refused('exportMetadataInRocksDB'),
  exportMetadata: () => import('./commands/export-metadata.ts'),
  exportConfigs: () => import('./commands/export-configs.ts'),
  exportMetrics: () => import('./commands/export-metrics.ts'),
  exportPopRecord: refused('exportPopRecord'),
  haStatus: () => import('./commands/ha-status.ts'),
  getSyncStateSet: refused('getSyncStateSet'),
  getBrokerEpoch: () => import('./commands/get-broker-epoch.ts'),
  getControllerMetaData: refused('getControllerMetaData'),
  getControllerConfig: refused('getControllerConfig'),
  updateControllerConfig: refused('updateControllerConfig'),
  electMaster: refused('electMaster'),
  cleanBrokerMetadata: refused('cleanBrokerMetadata'),
  dumpCompactionLog: refused('dumpCompactionLog'),
  getColdDataFlowCtrInfo: () => import('./commands/get-cold-data-flow-ctr-info.ts'),
  updateColdDataFlowCtrGroupConfig: () =>
    import('./commands/update-cold-data-flow-ctr-group-config.ts'),
  removeColdDataFlowCtrGroupConfig: () =>
    import('./commands/remove-cold-data-flow-ctr-group-config.ts'),
  setCommitLogReadAheadMode: () => import('./commands/set-commit-log-read-ahead-mode.ts'),
  createUser: refused('createUser'),
  updateUser: refused('updateUser'),
  deleteUser: refused('deleteUser'),
  getUser: refused('getUser'),
  listUser: refused('listUser'),
  copyUser: refused('copyUser'),
  createAcl: refused('createAcl'),
  updateAcl: refused('updateAcl'),
  deleteAcl: refused('deleteAcl'),
  getAcl: refused('getAcl'),
  listAcl: refused('listAcl'),
  copyAcl: refused('copyAcl'),
  rocksDBConfigToJson: refused('rocksDBConfigToJson'),
  checkRocksdbCqWriteProgress: refused('checkRocksdbCqWriteProgress'),
}

export const commandNames: readonly string[] = Object.keys(LOADERS)

/** Names may be written in any case. Null: there is no such command. */
export async function loadCommand(name: string): Promise<Command | null> {
  const found = commandNames.find((each) => each.toLowerCase() === name.toLowerCase())
  return found === undefined ? null : (await LOADERS[found]!()).command
}

export async function loadAll(): Promise<Command[]> {
  const modules = await Promise.all(Object.values(LOADERS).map((load) => load()))
  return modules.map(({ command }) => command)
}
