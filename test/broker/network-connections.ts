import { beforeAll, expect, test } from 'vitest'
import { ConsumerList, HeartbeatData } from '../../src/protocol/bodies/heartbeat.ts'
import {
  CommandFlag,
  encodeCommand,
  requestCommand,
  responseTo,
} from '../../src/protocol/remoting-command.ts'
import { RequestCode } from '../../src/protocol/request-code.ts'
import { GetBrokerConfig } from '../../src/protocol/requests/broker.ts'
import { GetConsumerListByGroup, HeartBeat } from '../../src/protocol/requests/client.ts'
import { GetMaxOffset, GetMinOffset } from '../../src/protocol/requests/offset.ts'
import { PullMessage } from '../../src/protocol/requests/pull.ts'
import { SendMessage, SendMessageV2 } from '../../src/protocol/requests/send.ts'
import { GetAllTopicConfig } from '../../src/protocol/requests/topic.ts'
import { ResponseCode } from '../../src/protocol/response-code.ts'
import type { ServerProcess } from '../support/broker-process.ts'
import { beat, subscription } from '../support/consumers.ts'
import {
  createTopic,
  maxOffset,
  pullHeader,
  readQueue,
  sendHeader,
  sendTo,
} from '../support/messages.ts'
import type { RawClient } from '../support/raw-client.ts'

const BODY = Buffer.from('body')
const QUEUE = { topic: 'T', queueId: 0, committed: true }

function unknownRequest(code: number, opaque: number): Buffer {
  return encodeCommand({ ...requestCommand(code), opaque })
}

/** A heartbeat of about 100 bytes per subscription. */
function bigBeat(clientID: string, subscriptions: number): Uint8Array {
  const subscriptionDataSet = Array.from({ length: subscriptions }, (_, nth) =>
    subscription(`Topic-number-${nth}`),
  )
  const group = {
    groupName: 'big-consumers',
    consumeType: 'CONSUME_PASSIVELY' as const,
    messageModel: 'CLUSTERING' as const,
    consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET' as const,
    subscriptionDataSet,
    unitMode: false,
  }
  return HeartbeatData.encode({
    clientID,
    consumerDataSet: [group],
    producerDataSet: [],
    heartbeatFingerprint: 0,
    withoutSub: false,
  })
}

/** Frames and connections, whatever is in them. */
export function describeConnections(started: () => ServerProcess): void {
  let broker: ServerProcess
  let client: RawClient
  beforeAll(async () => {
    broker = started()
    client = await broker.connect()
    await createTopic(client, 'T')
    await sendTo(client, 'T')
    await readQueue(client, 'T', { end: 1 })
  })

  test('a thousand requests in one write are answered, each once and under its opaque', async () => {
    const frames = Array.from({ length: 1000 }, (_, nth) => {
      const serializeType = (nth & 1) as 0 | 1
      switch (nth % 5) {
        case 0:
          return client.frame(SendMessageV2, sendHeader('T'), { body: BODY, serializeType })
        case 1:
          return client.frame(PullMessage, pullHeader('T', { maxMsgNums: 1 }), { serializeType })
        case 2:
          return client.frame(GetMinOffset, QUEUE, { serializeType })
        case 3:
          return client.frame(SendMessage, sendHeader('T', { queueId: 7 }), { serializeType })
        default:
          return client.frame(GetConsumerListByGroup, { consumerGroup: 'none' }, { serializeType })
      }
    })
    const before = client.received.length
    client.write(Buffer.concat(frames.map(({ bytes }) => bytes)))
    const replies = await Promise.all(frames.map(({ opaque }) => client.replyTo(opaque)))
    expect(replies.map(({ code }) => code)).toEqual(
      frames.map((_, nth) => [0, 0, 0, 29, 1][nth % 5]),
    )
    expect(replies.map(({ serializeType }) => serializeType)).toEqual(
      frames.map((_, nth) => nth & 1),
    )
    const offsets = replies.filter((_, nth) => nth % 5 === 0)
    const queueOffsets = offsets.map(({ extFields }) => Number(extFields!.get('queueOffset')))
    expect(queueOffsets).toEqual(queueOffsets.map((_, nth) => queueOffsets[0]! + nth))
    expect(client.received.length - before).toBe(1000)
  })

  test('a first frame may come in two pieces, cut anywhere', async () => {
    const sample = client.frame(SendMessageV2, sendHeader('T'), { body: BODY })
    await Promise.all(
      Array.from(sample.bytes, async (_, cut) => {
        const fresh = await broker.connect()
        const { opaque, bytes } = fresh.frame(SendMessageV2, sendHeader('T'), { body: BODY })
        await new Promise((resolve) => fresh.socket.write(bytes.subarray(0, cut), resolve))
        await maxOffset(client, 'T', 0) // time for the piece to be read alone
        fresh.write(bytes.subarray(cut))
        expect((await fresh.replyTo(opaque)).code).toBe(0)
        fresh.close()
      }),
    )
  })

  test('frames may come byte by byte', async () => {
    const fresh = await broker.connect()
    const send = fresh.frame(SendMessageV2, sendHeader('T'), { body: BODY })
    const ask = fresh.frame(GetMaxOffset, QUEUE)
    for (const byte of Buffer.concat([send.bytes, ask.bytes])) {
      await new Promise((resolve) => fresh.socket.write(Buffer.of(byte), resolve))
    }
    expect((await fresh.replyTo(send.opaque)).code).toBe(0)
    expect((await fresh.replyTo(ask.opaque)).code).toBe(0)
    fresh.close()
  })

  test('an unknown request code is answered so, on every serialize type', async () => {
    const fresh = await broker.connect()
    for (const [opaque, code] of [1, 32_767, 65_536, 200_999].entries()) {
      fresh.write(unknownRequest(code, opaque))
      const answer = await fresh.replyTo(opaque)
      expect(answer.code).toBe(ResponseCode.REQUEST_CODE_NOT_SUPPORTED)
      expect(answer.remark).toBe(` request type ${code} not supported`)
    }
    fresh.close()
  })

  test('responses that nobody asked for are not answered', async () => {
    const fresh = await broker.connect()
    for (const code of [0, RequestCode.HEART_BEAT, RequestCode.SEND_MESSAGE_V2]) {
      fresh.write(encodeCommand(responseTo({ opaque: 77, serializeType: 0 }, code)))
    }
    const both = CommandFlag.RESPONSE | CommandFlag.ONEWAY
    fresh.write(encodeCommand({ ...requestCommand(3), opaque: 78, flag: both }))
    await maxOffset(fresh, 'T', 0)
    expect(fresh.received).toHaveLength(1)
    fresh.close()
  })

  test('consumers are known to main, and told when one of them goes', async () => {
    const [first, second] = [await broker.connect(), await broker.connect()]
    const group = 'members'
    await beat(first, { clientID: 'one', group }, subscription('T'))
    await beat(second, { clientID: 'two', group }, subscription('T'))
    const members = async () => {
      const { body } = await first.ask(GetConsumerListByGroup, { consumerGroup: group })
      return ConsumerList.decode(body).consumerIdList.toSorted()
    }
    expect(await members()).toEqual(['one', 'two'])
    const told = notice(first, RequestCode.NOTIFY_CONSUMER_IDS_CHANGED)
    second.close()
    await told
    expect(await members()).toEqual(['one'])
    first.close()
  })

  test('what is too big for the ring to main arrives, and is answered in full', async () => {
    const senders = await Promise.all(Array.from({ length: 4 }, () => broker.connect()))
    const answers = await Promise.all(
      senders.flatMap((sender, nth) =>
        [2000, 5, 3000, 1500].map((subscriptions) => {
          const body = bigBeat(`client-${nth}`, subscriptions)
          return sender.ask(HeartBeat, {}, { body })
        }),
      ),
    )
    expect(answers.map(({ code }) => code)).toEqual(answers.map(() => 0))
    for (const sender of senders) sender.close()
  })

  test('many of them are answered, even if it is that there are too many', async () => {
    const fresh = await broker.connect()
    const body = bigBeat('flooder', 4000)
    expect(body.length).toBeGreaterThan(400_000)
    const sent = Array.from({ length: 90 }, () => fresh.send(HeartBeat, {}, { body }))
    await sendTo(fresh, 'T') // needs nothing of main
    const answers = await Promise.all(sent.map((opaque) => fresh.replyTo(opaque)))
    for (const { code, remark } of answers) {
      if (code !== 0) expect(remark).toMatch(/^\[OVERLOAD\]/)
    }
    expect(answers[0]!.code).toBe(0)
    await beat(fresh, { clientID: 'flooder' }, subscription('T'))
    fresh.close()
  })

  test('three hundred clients that come and go leave nothing behind', async () => {
    const come = async (nth: number) => {
      const visitor = await broker.connect()
      await beat(visitor, { clientID: `visitor-${nth}`, group: 'visitors' }, subscription('T'))
      visitor.send(PullMessage, pullHeader('T', { sysFlag: 6, suspendTimeoutMillis: 60_000 }))
      if (nth % 2 === 0) visitor.close()
      else visitor.socket.resetAndDestroy()
    }
    for (let lot = 0; lot < 6; lot++) {
      await Promise.all(Array.from({ length: 50 }, (_, nth) => come(lot * 50 + nth)))
    }
    let code: number
    do ({ code } = await client.ask(GetConsumerListByGroup, { consumerGroup: 'visitors' }))
    while (code === 0) // their ends are on the way
    expect(code).toBe(ResponseCode.SYSTEM_ERROR)
  })

  test('who floods main keeps nobody from it', async () => {
    const [flooder, asker] = [await broker.connect(), await broker.connect()]
    const header = { consumerGroup: 'none' }
    const { bytes } = flooder.frame(GetConsumerListByGroup, header, { oneway: true })
    const lot = Buffer.concat(Array.from({ length: 2000 }, () => bytes))
    for (let nth = 0; nth < 6; nth++) {
      flooder.write(lot)
      const answers = Array.from({ length: 5 }, () => asker.ask(GetMinOffset, QUEUE))
      for (const { code } of await Promise.all(answers)) expect([0, 2]).toContain(code)
    }
    for (const each of [flooder, asker]) each.close()
  })

  test('a reply of main may be longer than the ring takes', async () => {
    const admins = await Promise.all(Array.from({ length: 4 }, () => broker.connect()))
    const name = 'Topic-with-a-name'.padEnd(120, '-so-long')
    await Promise.all(
      Array.from({ length: 400 }, (_, nth) => sendTo(admins[nth % 4]!, `${name}-${nth}`)),
    )
    const { code, body } = await client.ask(GetAllTopicConfig, {})
    expect(code).toBe(0)
    expect(body!.length).toBeGreaterThan(128 * 1024)
    expect(String(body)).toContain(`${name}-399`)
    expect((await client.ask(GetBrokerConfig, {})).code).toBe(0)
    for (const admin of admins) admin.close()
  })
}

/** Settles when the broker sends a request of this code. */
function notice(client: RawClient, code: number): Promise<void> {
  return new Promise((resolve) => {
    client.socket.on('data', () => {
      if (client.received.some((command) => command.code === code && command.flag !== 1)) resolve()
    })
  })
}
