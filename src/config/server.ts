/** Settings of every program that listens: they stand in the broker's and in the name server's file. */
import { derived, host, int, text } from './setting.ts'

export const serverSettings = {
  bindAddress: host({
    default: '0.0.0.0',
    doc: 'Address to listen on. 0.0.0.0 is every IPv4 address of the machine.',
  }),
  serverChannelMaxIdleTimeSeconds: int({
    default: 120,
    min: 1,
    max: 2_000_000, // timers take no more
    unit: 's',
    doc: 'A connection that neither sends nor receives for this long is closed.',
  }),
  maxConnections: int({
    default: 65536,
    min: 1,
    own: true,
    doc: 'Open connections at one time. Further ones are closed as soon as they are accepted.',
  }),
  rocketmqHome: text({
    default: derived('$ROCKETMQ_HOME', (_, environment) => environment.ROCKETMQ_HOME ?? ''),
    doc: 'Accepted because Apache insists on it; nothing is read from there.',
  }),
}
