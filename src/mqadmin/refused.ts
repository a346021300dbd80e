import { AdminError, type Command } from './command.ts'

const ROCKSDB = 'RingMQ keeps its metadata and queues in files of their own, not in RocksDB'
const CONTROLLER = "the Java controller is not part of RingMQ: ask Apache's mqadmin, next to it"
const ACL = 'RingMQ has no users and rights of ACL 2.0'
const CONTAINER = 'RingMQ runs one broker a process, there are no broker containers'
const STATIC_TOPIC = 'RingMQ has no static topics: their queues would move between brokers'

/** Commands of Apache 5.3.3 that are for parts that RingMQ does not have, and why. */
const REASONS = {
  addBroker: CONTAINER,
  removeBroker: CONTAINER,
  resetMasterFlushOffset: 'slaves are not supported by this version of RingMQ',
  updateStaticTopic: STATIC_TOPIC,
  remappingStaticTopic: STATIC_TOPIC,
  exportMetadataInRocksDB: ROCKSDB,
  rocksDBConfigToJson: ROCKSDB,
  checkRocksdbCqWriteProgress: ROCKSDB,
  exportPopRecord:
    'RingMQ keeps its POP records in the revive topic only: there is no RocksDB to move them to',
  getSyncStateSet: CONTROLLER,
  getControllerMetaData: CONTROLLER,
  getControllerConfig: CONTROLLER,
  updateControllerConfig: CONTROLLER,
  electMaster: CONTROLLER,
  cleanBrokerMetadata: CONTROLLER,
  dumpCompactionLog:
    'RingMQ has no compaction topics, so there are no compaction log files to show',
  createUser: ACL,
  updateUser: ACL,
  deleteUser: ACL,
  getUser: ACL,
  listUser: ACL,
  copyUser: ACL,
  createAcl: ACL,
  updateAcl: ACL,
  deleteAcl: ACL,
  getAcl: ACL,
  listAcl: ACL,
  copyAcl: ACL,
} as const

export type RefusedName = keyof typeof REASONS

/** A command that says why it does nothing, whatever its options. */
export function refusedCommand(name: RefusedName): Command {
  const reason = REASONS[name]
  const run = () => Promise.reject(new AdminError(`not supported: ${reason}`))
  return { name, doc: `Not supported: ${reason}.`, options: [], takesAnything: true, run }
}
