import type { Field, Fields, ValuesOf } from './fields.ts'
import { RequestCode } from './request-code.ts'
import type { RequestCodeName } from './request-code.ts'
import type { ResponseCodeName } from './response-code.ts'
import { ResponseError } from './response-error.ts'

/** What a request is declared with. */
export interface RequestTable<H extends Fields, R extends Fields> {
  /** One sentence: what the server does. */
  doc: string
  /** The JSON body of the request. Other bodies are named in `doc`. */
  body?: { readonly name: string }
  header: H
  /** The header of a SUCCESS answer, and of the answers its handler says so of. */
  reply: R
  /** The JSON body of a SUCCESS answer. */
  replyBody?: { readonly name: string }
  /** Answers to expect beside SUCCESS, SYSTEM_ERROR and SYSTEM_BUSY. */
  fails: readonly ResponseCodeName[]
}

/** One kind of request: its number, and codecs for its header and the header of its reply. */
export interface RequestSpec<H, R> {
  readonly code: RequestCode
  readonly name: RequestCodeName
  readonly table: RequestTable<Fields, Fields>
  encodeHeader(header: H): Map<string, string>
  /** Unknown fields are ignored. Throws ResponseError SYSTEM_ERROR that names the field and what it may be. */
  decodeHeader(extFields: Map<string, string> | null): H
  encodeReply(reply: R): Map<string, string>
  decodeReply(extFields: Map<string, string> | null): R
}

/** The header object of a request: `HeaderOf<typeof PullMessage>`. */
export type HeaderOf<S> = S extends RequestSpec<infer H, infer _> ? H : never
/** The header object of its reply. */
export type ReplyOf<S> = S extends RequestSpec<infer _, infer R> ? R : never

export function request<const H extends Fields, const R extends Fields>(
  code: RequestCode,
  table: RequestTable<H, R>,
): RequestSpec<ValuesOf<H>, ValuesOf<R>> {
  const name = requestCodeName(code)!
  return {
    code,
    name,
    table,
    encodeHeader: (header) => encodeFields(table.header, header),
    decodeHeader: (extFields) => decodeFields(name, table.header, extFields) as ValuesOf<H>,
    encodeReply: (reply) => encodeFields(table.reply, reply),
    decodeReply: (extFields) =>
      decodeFields(`reply to ${name}`, table.reply, extFields) as ValuesOf<R>,
  }
}

const names = new Map(
  Object.entries(RequestCode).map(([name, code]) => [code as number, name as RequestCodeName]),
)

/** For logs and metrics; null for a number nobody gave a name. */
export function requestCodeName(code: number): RequestCodeName | null {
  return names.get(code) ?? null
}

function encodeFields(fields: Fields, values: Record<string, unknown>): Map<string, string> {
  const extFields = new Map<string, string>()
  for (const name in fields) {
    const field = fields[name]!
    const value = values[name]
    if (value !== undefined) extFields.set(field.key, field.write(value))
  }
  return extFields
}

function decodeFields(
  what: string,
  fields: Fields,
  extFields: Map<string, string> | null,
): Record<string, unknown> {
  const values: Record<string, unknown> = {}
  for (const name in fields) {
    const value = decodeField(what, fields[name]!, extFields?.get(fields[name]!.key))
    if (value !== undefined) values[name] = value
  }
  return values
}

function decodeField(what: string, field: Field<unknown>, text: string | undefined): unknown {
  const { key, allowed, presence } = field
  // A binary header cannot tell an empty value from none; for text that are both "".
  if (text === undefined || (text === '' && allowed !== 'text')) {
    if (presence === 'required') {
      throw new ResponseError('SYSTEM_ERROR', `${what}: ${key} is missing, it must be ${allowed}`)
    }
    return field.fallback
  }
  const value = field.read(text)
  if (value !== undefined) return value
  const shown = JSON.stringify(text.slice(0, 60))
  throw new ResponseError('SYSTEM_ERROR', `${what}: ${key} is ${shown}, it must be ${allowed}`)
}
