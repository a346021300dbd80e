import { HeaderKey } from '../../protocol/header-scanner.ts'

/** Where the fields of a pull stand in its header. */
export const KEY = {
  group: new HeaderKey('consumerGroup'),
  topic: new HeaderKey('topic'),
  queueId: new HeaderKey('queueId'),
  queueOffset: new HeaderKey('queueOffset'),
  maxMsgNums: new HeaderKey('maxMsgNums'),
  sysFlag: new HeaderKey('sysFlag'),
  commitOffset: new HeaderKey('commitOffset'),
  suspendTimeoutMillis: new HeaderKey('suspendTimeoutMillis'),
  subscription: new HeaderKey('subscription'),
  subVersion: new HeaderKey('subVersion'),
  expressionType: new HeaderKey('expressionType'),
}
