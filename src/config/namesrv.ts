/** Settings of the name server: what stands in `namesrv.conf`. */
import { homedir } from 'node:os'
import { join } from 'node:path'

import { apacheNamesrvKeys } from './apache-keys.ts'
import type { Declaration } from './load.ts'
import { serverSettings } from './server.ts'
import { bool, type ConfigOf, derived, int, long, path, port } from './setting.ts'

const namesrvSettings = {
  listenPort: port({
    default: 9876,
    doc: 'Port that brokers and clients connect to. 0 lets the system choose one.',
  }),
  ...serverSettings,
  kvConfigPath: path({
    default: derived('~/namesrv/kvConfig.json', () => join(homedir(), 'namesrv', 'kvConfig.json')),
    doc: 'File that keeps the key-value settings, such as ORDER_TOPIC_CONFIG.',
  }),
  configStorePath: path({
    default: derived('~/namesrv/namesrv.properties', () =>
      join(homedir(), 'namesrv', 'namesrv.properties'),
    ),
    doc: 'File that settings changed at run time are written to. With -c it is that file.',
  }),
  orderMessageEnable: bool({
    default: false,
    doc: 'Routes carry the queue order of a topic from ORDER_TOPIC_CONFIG.',
  }),
  returnOrderTopicConfigToBroker: bool({
    default: true,
    doc: 'The answer to a registration carries ORDER_TOPIC_CONFIG.',
  }),
  supportActingMaster: bool({
    default: false,
    doc: 'In routes, the lowest slave of a group without a master stands in as one.',
  }),
  deleteTopicWithBrokerRegistration: bool({
    default: false,
    doc: 'A topic that a broker no longer names when it registers is dropped.',
  }),
  needWaitForService: bool({
    default: false,
    doc: 'After a start, routes are refused for waitSecondsForService, until brokers have reported.',
  }),
  waitSecondsForService: int({
    default: 45,
    min: 0,
    unit: 's',
    doc: 'How long routes are refused with needWaitForService.',
  }),
  scanNotActiveBrokerInterval: long({
    default: 5000,
    min: 1,
    unit: 'ms',
    doc: 'Time between two looks for brokers that have stopped reporting.',
  }),
  enableTopicList: bool({
    default: true,
    doc: 'Answer queries for the topics of a cluster or of a kind. Otherwise they are refused.',
  }),
  enableAllTopicList: bool({
    default: true,
    doc: 'Answer the query for all topics. Otherwise it is refused.',
  }),
}

export type NamesrvConfig = ConfigOf<typeof namesrvSettings>

export const namesrvDeclaration: Declaration<typeof namesrvSettings> = {
  program: 'name server',
  settings: namesrvSettings,
  apacheKeys: apacheNamesrvKeys,
  check: () => undefined,
}
