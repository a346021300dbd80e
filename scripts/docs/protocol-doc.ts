import type { Field, Fields } from '../../src/protocol/fields.ts'
import type { RequestSpec } from '../../src/protocol/request.ts'
import * as broker from '../../src/protocol/requests/broker.ts'
import * as client from '../../src/protocol/requests/client.ts'
import * as diagnostics from '../../src/protocol/requests/diagnostics.ts'
import * as group from '../../src/protocol/requests/group.ts'
import * as namesrvConfig from '../../src/protocol/requests/namesrv-config.ts'
import * as offset from '../../src/protocol/requests/offset.ts'
import * as pop from '../../src/protocol/requests/pop.ts'
import * as pull from '../../src/protocol/requests/pull.ts'
import * as query from '../../src/protocol/requests/query.ts'
import * as registration from '../../src/protocol/requests/registration.ts'
import * as reply from '../../src/protocol/requests/reply.ts'
import * as route from '../../src/protocol/requests/route.ts'
import * as send from '../../src/protocol/requests/send.ts'
import * as timer from '../../src/protocol/requests/timer.ts'
import * as topic from '../../src/protocol/requests/topic.ts'
import { responseDetails, ResponseCode } from '../../src/protocol/response-code.ts'
import type { ResponseCodeName } from '../../src/protocol/response-code.ts'

// oxlint-disable-next-line no-explicit-any -- headers of all kinds
type AnySpec = RequestSpec<any, any>

const FAMILIES: [string, object][] = [
  ['Send', send],
  ['Request and reply', reply],
  ['Timed messages', timer],
  ['Pull', pull],
  ['Pop', pop],
  ['Offsets', offset],
  ['Queries', query],
  ['Clients', client],
  ['Topics', topic],
  ['Groups', group],
  ['Broker', broker],
  ['Diagnostics', diagnostics],
  ['Routes', route],
  ['Registration', registration],
  ['Configuration of the name server', namesrvConfig],
]

/** The requests of a file under src/protocol/requests, by their codes. */
function requestsOf(family: object): AnySpec[] {
  const specs = Object.values(family).filter((value): value is AnySpec => 'encodeHeader' in value)
  return specs.sort((one, other) => one.code - other.code)
}

/** Every request that is declared, for tests over all tables. */
export function allRequests(): AnySpec[] {
  return FAMILIES.flatMap(([, family]) => requestsOf(family))
}

/** The text of docs/protocol.md. */
export function protocolDoc(): string {
  return [
    '# Protocol\n',
    'Generated from `src/protocol` by `npm run docs`. Names and numbers are those of Apache RocketMQ 5.3.3.\n',
    'Every request may also be answered SYSTEM_ERROR (the remark says why) and SYSTEM_BUSY (a bound was reached).',
    'A field in *italics* may be absent; `=` gives the value it then has.\n',
    '## Requests\n',
    ...FAMILIES.map(([title, family]) => familyDoc(title, requestsOf(family))),
    '## Answers\n',
    answersDoc(),
  ].join('\n')
}

function familyDoc(title: string, specs: AnySpec[]): string {
  return [`### ${title}\n`, ...specs.map(requestDoc)].join('\n')
}

function requestDoc({ name, code, table }: AnySpec): string {
  const lines = [
    `- header: ${fieldsDoc(table.header)}`,
    table.body && `- body: ${table.body.name}`,
    `- reply: ${fieldsDoc(table.reply)}`,
    table.replyBody && `- body of the reply: ${table.replyBody.name}`,
    table.fails.length > 0 && `- may fail with: ${table.fails.join(', ')}`,
  ]
  return `#### ${name} (${code})\n\n${table.doc}\n\n${lines.filter(Boolean).join('\n')}\n`
}

function fieldsDoc(fields: Fields): string {
  const texts = Object.entries(fields).map(([name, field]) => fieldDoc(name, field))
  return texts.length === 0 ? 'none' : texts.join(', ')
}

function fieldDoc(name: string, field: Field<unknown>): string {
  const meaning = name === field.key ? '' : ` ${name},`
  const fallback = field.presence === 'default' ? ` = ${JSON.stringify(field.fallback)}` : ''
  const key = field.presence === 'required' ? `\`${field.key}\`` : `*\`${field.key}\`*`
  return `${key} (${meaning.trimStart()}${meaning && ' '}${field.allowed}${fallback})`
}

function answersDoc(): string {
  const rows = Object.entries(ResponseCode).map(([name, code]) => {
    const { retry, doc } = responseDetails[name as ResponseCodeName]
    return `| ${code} | ${name} | ${doc} | ${retry ? 'yes' : ''} |\n`
  })
  return `| code | name | means | producers try another broker |\n| --- | --- | --- | --- |\n${rows.join('')}`
}
