import { decodeBinaryHeader, encodeBinaryHeader } from './binary-header.ts'
import { SerializeType, joinFrame, splitFrame } from './frame.ts'
import { decodeJsonHeader, encodeJsonHeader } from './json-header.ts'
import type { LanguageCode } from './language-code.ts'
import { MqVersion } from './mq-version.ts'

/** Bits of `flag`. */
export const CommandFlag = { RESPONSE: 1, ONEWAY: 2 } as const

/** The version we claim to be: clients let it decide what they dare to ask. */
export const VERSION = MqVersion.V5_3_3

/** What stands in a header, in either encoding. Source: Apache 5.3.3, RemotingCommand. */
export interface CommandHeader {
  /** RequestCode, or ResponseCode when the RESPONSE bit is set. */
  code: number
  language: LanguageCode
  /** Ordinal, see MqVersion. */
  version: number
  /** Chosen by the caller, echoed by the callee; int32, may be negative. */
  opaque: number
  flag: number
  remark: string | null
  /** The typed header, flattened. Null when there is none; the order is the order on the wire. */
  extFields: Map<string, string> | null
}

/** A request or a response. */
export interface RemotingCommand extends CommandHeader {
  /** Never empty: an empty body is null. */
  body: Uint8Array | null
  serializeType: SerializeType
}

/**
 * Decodes a frame without its length prefix. `body` is a view into `frame`: copy it if it must outlive
 * the frame. Throws FrameError.
 */
export function decodeCommand(frame: Uint8Array): RemotingCommand {
  const { serializeType, header, body } = splitFrame(frame)
  const decode = serializeType === SerializeType.JSON ? decodeJsonHeader : decodeBinaryHeader
  return { ...decode(header), body, serializeType }
}

/** The whole frame, with its length prefix. Throws FrameError when no peer would read it. */
export function encodeCommand(command: RemotingCommand): Buffer {
  const { serializeType, body } = command
  const encode = serializeType === SerializeType.JSON ? encodeJsonHeader : encodeBinaryHeader
  return joinFrame({ serializeType, header: encode(command), body })
}

export function isResponse(command: { flag: number }): boolean {
  return (command.flag & CommandFlag.RESPONSE) !== 0
}

export function isOneway(command: { flag: number }): boolean {
  return (command.flag & CommandFlag.ONEWAY) !== 0
}

/** A JSON request of ours. Whoever sends it sets `opaque`, and `flag` for a one-way. */
export function requestCommand(
  code: number,
  extFields: Map<string, string> | null = null,
  body: Uint8Array | null = null,
): RemotingCommand {
  return {
    code,
    language: 'JAVA', // Apache's brokers say so, and old clients know little else
    version: VERSION,
    opaque: 0,
    flag: 0,
    remark: null,
    extFields,
    body: body?.length ? body : null,
    serializeType: SerializeType.JSON,
  }
}

/**
 * The response to `request`: its opaque and its serialize type. Apache answers in its own type; echoing
 * is safe for every client, because the old C++ ones read nothing but the JSON they write.
 */
export function responseTo(
  request: { opaque: number; serializeType: SerializeType },
  code: number,
  remark: string | null = null,
  extFields: Map<string, string> | null = null,
  body: Uint8Array | null = null,
): RemotingCommand {
  const { opaque, serializeType } = request
  const command = requestCommand(code, extFields, body)
  return { ...command, opaque, serializeType, remark, flag: CommandFlag.RESPONSE }
}
