import { SendFrames } from '../load/send-frames.ts'
import { ReplyScanner } from '../load/reply-scanner.ts'
import { type HeaderFormat } from '../load/wire.ts'
import { HeaderKey, HeaderScanner } from '../../src/protocol/header-scanner.ts'
import {
  decodeCommand,
  encodeCommand,
  requestCommand,
  responseTo,
} from '../../src/protocol/remoting-command.ts'
import { SerializeType } from '../../src/protocol/frame.ts'
import { repeated, type MicroCase, type MicroSuite } from './suite.ts'

const FORMATS: [HeaderFormat, SerializeType][] = [
  ['json', SerializeType.JSON],
  ['binary', SerializeType.ROCKETMQ],
]
/** The fields of a send that the broker's hot path reads. */
const KEYS = ['b', 'e', 'f', 'g', 'i'].map((name) => new HeaderKey(name))

/** What a header costs: the scanner of the hot path beside the codec of everything else. */
export function headers(): MicroSuite {
  return {
    name: 'headers',
    question: 'reading and writing one header',
    cases: FORMATS.flatMap(([format, type]) => casesOf(format, type)),
  }
}

function casesOf(format: HeaderFormat, serializeType: SerializeType): MicroCase[] {
  const frame = sendFrame(format)
  const content = frame.subarray(4)
  const scanner = new HeaderScanner()
  const replies = new ReplyScanner()
  const request = { ...requestCommand(310), opaque: 1_000_000_001, serializeType }
  const reply = encodeCommand(responseTo(request, 0, null, replyFields()))
  return [
    repeated(`${format} send: HeaderScanner, five fields`, () => {
      scanner.scan(frame, 4, frame.length)
      return KEYS.reduce((sum, key) => sum + scanner.find(key), 0)
    }),
    repeated(`${format} send: decodeCommand`, () => decodeCommand(content).opaque),
    repeated(`${format} reply: encodeCommand`, () => {
      return encodeCommand(responseTo(request, 0, null, replyFields())).length
    }),
    repeated(`${format} reply: the generator's scanner`, () => {
      replies.scan(reply, 0)
      return replies.opaque
    }),
  ]
}

function sendFrame(format: HeaderFormat): Buffer {
  const shape = { topic: 'BenchmarkTest', brokerName: 'broker-a', bodySize: 128, batch: 1 }
  const frames = new SendFrames({ ...shape, format, queueCount: 1 })
  const frame = Buffer.alloc(frames.frameLengthMax)
  frames.write(frame, 0, 1, Date.now())
  return frame
}

function replyFields(): Map<string, string> {
  return new Map([
    ['msgId', '7F00000100002A9F00000000075BCD15'],
    ['queueId', '1'],
    ['queueOffset', '123456'],
    ['MSG_REGION', 'DefaultRegion'],
    ['TRACE_ON', 'true'],
  ])
}
