/** A broker of its own with one topic, and a client that pops it. */
import { PollingInfo } from '../../src/protocol/requests/pop.ts'
import type { SendReply } from '../../src/protocol/requests/send.ts'
import type { ServerProcess, Settings } from './broker-process.ts'
import { createTopic, maxOffset, sendTo } from './messages.ts'
import { BROKER, pop, type Popped } from './pops.ts'
import type { RawClient } from './raw-client.ts'
import { startBroker } from './started-broker.ts'

/** So short that a test may wait until it is over. */
export const SHORT_MS = 300
export const HOLD_MS = 30_000

export async function withMessages(
  count: number,
  settings: Settings = {},
): Promise<{ broker: ServerProcess; client: RawClient }> {
  const broker = await startBroker({ brokerName: BROKER, ...settings })
  const client = await broker.connect()
  await createTopic(client, 'T')
  await fill(client, count)
  return { broker, client }
}

/** They are there for readers when it resolves. */
export async function fill(client: RawClient, count: number, changes = {}): Promise<void> {
  for (let nth = 0; nth < count; nth++) {
    const sent = await sendTo(client, 'T', changes, { body: Buffer.from(`m${nth}`) })
    await untilThere(client, sent)
  }
}

export async function untilThere(
  client: RawClient,
  { queueId, queueOffset }: SendReply,
): Promise<void> {
  while ((await maxOffset(client, 'T', queueId)) <= queueOffset);
}

/** Waits until so many pops are held. */
export async function untilHeld(client: RawClient, count: number): Promise<void> {
  const info = { consumerGroup: 'consumers', topic: 'T', queueId: -1 }
  while ((await client.ask(PollingInfo, info)).reply.pollingNum !== count);
}

/** Waits until there is something, as a client does. */
export function held(client: RawClient, changes = {}) {
  return pop(client, 'T', { pollTime: HOLD_MS, ...changes })
}

/** All that come, until `count` have. */
export async function popAll(client: RawClient, count: number, changes = {}): Promise<Popped[]> {
  const all: Popped[] = []
  while (all.length < count) all.push(...(await held(client, changes)).popped)
  return all
}
