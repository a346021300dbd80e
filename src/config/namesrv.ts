/** Settings of the name server: what stands in `namesrv.conf`. */
import { homedir } from 'node:os'
import { join } from 'node:path'

import { apacheNamesrvKeys } from './apache-keys.ts'
import type { Declaration } from './load.ts'
import { serverSettings } from './server.ts'
import { bool, type ConfigOf, derived, long, path, port } from './setting.ts'

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
    doc: 'File that settings changed at run time are written to.',
  }),
  orderMessageEnable: bool({
    default: false,
    doc: 'Routes carry the queue order of a topic from ORDER_TOPIC_CONFIG.',
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
