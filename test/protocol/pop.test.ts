import { describe, expect, test } from 'vitest'
import { BatchAckBody, bitsOf, bitsText } from '../../src/protocol/bodies/batch-ack.ts'
import {
  normalTopic,
  poppedTopic,
  popRetryTopic,
  readReceipt,
  receiptText,
  retryFlagOf,
} from '../../src/protocol/pop-receipt.ts'
import { decodeCommand, encodeCommand } from '../../src/protocol/remoting-command.ts'
import {
  AckMessage,
  ChangeMessageInvisibleTime,
  PopMessage,
} from '../../src/protocol/requests/pop.ts'
import { goldenFrame } from './golden.ts'

describe('a receipt', () => {
  const text = '7 1700000000200 60000 3 0 broker-a 2 7'

  test('is written as it was read', () => {
    expect(receiptText(readReceipt(text)!)).toBe(text)
  })

  test('may lack queue and offset, as old clients send it', () => {
    expect(readReceipt('7 1700000000200 60000 3 0 broker-a')).toMatchObject({
      queueId: -1,
      queueOffset: -1,
    })
  })

  test.each([
    '',
    '7 1 2 3 0',
    'a 1 2 3 0 b 2 7',
    '7 1.5 2 3 0 b 2 7',
    '7 1 2 3 0 b 2 99999999999999999',
  ])('is none: %j', (wrong) => expect(readReceipt(wrong)).toBe(null))
})

test.each([
  ['0', 'T'],
  ['1', '%RETRY%g_T'],
  ['2', '%RETRY%g+T'],
])('flag %s stands for topic %s', (flag, topic) => {
  expect(poppedTopic('T', 'g', flag)).toBe(topic)
  expect(retryFlagOf(topic)).toBe(flag)
  expect(normalTopic(topic, 'g')).toBe('T')
  if (flag !== '0') expect(popRetryTopic('g', 'T', flag === '2')).toBe(topic)
})

test('bits of a batch are those of a Java BitSet', () => {
  const body = Buffer.from(decodeCommand(goldenFrame('BATCH_ACK_MESSAGE request')).body!)
  const [ack] = BatchAckBody.decode(body).acks
  expect(bitsText(bitsOf(ack!.b))).toBe(ack!.b)
  expect(bitsOf(bitsText([0, 3, 31]))).toEqual([0, 3, 31])
  expect(bitsOf(bitsText([]))).toEqual([])
})

test.each([
  ['POP_MESSAGE request', PopMessage, 'header'],
  ['POP_MESSAGE response', PopMessage, 'reply'],
  ['ACK_MESSAGE request', AckMessage, 'header'],
  ['CHANGE_MESSAGE_INVISIBLETIME request', ChangeMessageInvisibleTime, 'header'],
] as const)("%s says what Apache's says", (name, spec, kind) => {
  const frame = goldenFrame(name)
  const { extFields, ...command } = decodeCommand(frame)
  const known = new Map([...extFields!].filter(([key]) => key !== 'bname'))
  const written =
    kind === 'header'
      ? spec.encodeHeader(spec.decodeHeader(known) as never)
      : spec.encodeReply(spec.decodeReply(known))
  expect(Object.fromEntries(written)).toEqual(Object.fromEntries(known))
  expect(encodeCommand({ ...command, extFields }).subarray(4)).toEqual(frame)
})
