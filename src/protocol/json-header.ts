/** The JSON header: what fastjson writes for Apache 5.3.3's RemotingCommand, key order included. */
import { EXT_FIELDS_MAX } from './binary-header.ts'
import { FrameError } from './frame.ts'
import { quoteJson } from './json-quote.ts'
import { JsonError, parseJson } from './json.ts'
import type { JsonObject, JsonValue } from './json.ts'
import { languageOf } from './language-code.ts'
import type { LanguageCode } from './language-code.ts'
import type { CommandHeader } from './remoting-command.ts'

/** Bytes. What Node's own parser makes of longer ones has no other bound. */
const PLAIN_MAX = 8192
/** A header is flat: anything deeper is no header. */
const LIMITS = { depth: 8, cells: 2 * EXT_FIELDS_MAX }

/** Tolerant as Apache's reader: absent numbers are 0, extFields may be numbers or booleans. Throws FrameError. */
export function decodeJsonHeader(header: Buffer): CommandHeader {
  return plainHeader(header) ?? anyHeader(header)
}

/** Of whatever is JSON to fastjson. */
export function anyHeader(header: Buffer): CommandHeader {
  const fields = parseHeader(header)
  return {
    code: int32(fields, 'code'),
    language: language(fields.get('language')),
    version: int32(fields, 'version'),
    opaque: int32(fields, 'opaque'),
    flag: int32(fields, 'flag'),
    remark: scalarText(fields.get('remark'), 'remark'),
    extFields: extFields(fields.get('extFields')),
  }
}

/**
 * Of what nearly every peer writes: standard JSON without escapes and references, numbers of 32 bits, texts in extFields.
 * Node's own parser takes a sixth of the time. Null: it is something else, or wrong, and `anyHeader` says what.
 */
function plainHeader(header: Buffer): CommandHeader | null {
  if (header.length > PLAIN_MAX) return null
  const text = header.toString()
  if (text.includes('\\') || text.includes('$ref')) return null
  const fields = parsed(text)
  if (fields === null) return null
  const { code = 0, version = 0, opaque = 0, flag = 0, language: name = 'JAVA', remark } = fields
  const areNumbers = isInt32(code) && isInt32(version) && isInt32(opaque) && isInt32(flag)
  if (!areNumbers || typeof name !== 'string') return null
  const ext = plainExtFields(fields.extFields)
  if (ext === undefined || (remark !== undefined && typeof remark !== 'string')) return null
  return {
    code,
    language: languageOf(name),
    version,
    opaque,
    flag,
    remark: remark ?? null,
    extFields: ext,
  }
}

/** Own properties only: JSON.parse makes one of `__proto__` too. */
function parsed(text: string): Partial<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text)
    return isObject(value) ? value : null
  } catch {
    return null // anyHeader says what is wrong, if it is
  }
}

/** Undefined: not plain. Keys like numbers would lose their place among the others. */
function plainExtFields(value: unknown): Map<string, string> | null | undefined {
  if (value === undefined) return null
  if (!isObject(value)) return undefined
  const fields = new Map<string, string>()
  for (const key in value) {
    const field = value[key]
    if (typeof field !== 'string' || isDigit(key.charCodeAt(0))) return undefined
    fields.set(key, field)
  }
  return fields
}

function isObject(value: unknown): value is Partial<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isInt32(value: unknown): value is number {
  return typeof value === 'number' && value === (value | 0)
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

export function encodeJsonHeader(command: CommandHeader): Buffer {
  const { code, flag, language, opaque, remark, version } = command
  const ext = command.extFields ? `"extFields":${encodeExtFields(command.extFields)},` : ''
  const remarkPart = remark === null ? '' : `"remark":${quoteJson(remark)},`
  return Buffer.from(
    `{"code":${code},${ext}"flag":${flag},"language":"${language}","opaque":${opaque},` +
      `${remarkPart}"serializeTypeCurrentRPC":"JSON","version":${version}}`,
  )
}

function encodeExtFields(fields: Map<string, string>): string {
  const entries: string[] = []
  for (const [key, value] of fields) entries.push(`${quoteJson(key)}:${quoteJson(value)}`)
  return `{${entries.join()}}`
}

function parseHeader(header: Buffer): JsonObject {
  try {
    const value = parseJson(header, LIMITS)
    if (value instanceof Map) return value
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
    throw new FrameError(`JSON header: ${error.message}`)
  }
  throw new FrameError('JSON header: no object')
}

function int32(fields: JsonObject, key: string): number {
  const value = Number(fields.get(key) ?? 0)
  if (value !== (value | 0)) throw new FrameError(`JSON header: ${key} is no 32-bit integer`)
  return value
}

function language(value: JsonValue | undefined): LanguageCode {
  if (value === undefined) return 'JAVA'
  return typeof value === 'number' || typeof value === 'string' ? languageOf(value) : 'OTHER'
}

function extFields(value: JsonValue | undefined): Map<string, string> | null {
  if (value === null || value === undefined) return null
  if (!(value instanceof Map)) throw new FrameError('JSON header: extFields is no object')
  const fields = new Map<string, string>()
  for (const [key, field] of value) {
    const text = scalarText(field, 'an extField')
    if (typeof key === 'string' && text !== null) fields.set(key, text)
  }
  return fields
}

function scalarText(value: JsonValue | undefined, what: string): string | null {
  if (value === null || value === undefined) return null
  if (typeof value === 'object') throw new FrameError(`JSON header: ${what} is no text`)
  return String(value)
}
