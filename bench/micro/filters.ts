import { SqlFilter } from '../../src/filter/sql-filter.ts'
import { decodeProperties, encodeProperties, propertyIn } from '../../src/protocol/message.ts'
import { repeated, type MicroSuite } from './suite.ts'

const EXPRESSION = "region = 'north' AND amount > 100 AND kind IN ('order', 'invoice')"
/** So many messages in turn: all terms hold for a quarter of them. */
const MESSAGES = 64

/** What a condition of three terms costs per message, with its properties at hand and as they are stored. */
export function filters(): MicroSuite {
  const filter = SqlFilter.of(EXPRESSION)
  const texts = Array.from({ length: MESSAGES }, (_, nth) => propertiesOf(nth))
  const lookups = texts.map((text) => lookupIn(decodeProperties(text)))
  const bytes = texts.map((text) => Buffer.from(text))
  return {
    name: 'filters',
    question: `evaluating ${EXPRESSION}`,
    cases: [
      repeated('evaluation, properties at hand', (repeat) =>
        filter.matches(lookups[repeat % MESSAGES]!) ? 1 : 0,
      ),
      repeated('evaluation, properties as stored bytes', (repeat) => {
        const text = bytes[repeat % MESSAGES]!.toString('utf8')
        return filter.matches((name) => propertyIn(text, name)) ? 1 : 0
      }),
    ],
  }
}

function propertiesOf(nth: number): string {
  return encodeProperties([
    ['UNIQ_KEY', `7F0000010000000000000000${nth.toString(16).padStart(8, '0')}`],
    ['WAIT', 'true'],
    ['TAGS', 'TagA'],
    ['region', nth % 2 === 0 ? 'north' : 'south'],
    ['amount', String(50 + 10 * nth)],
    ['kind', ['order', 'refund', 'invoice', 'other'][(nth >> 1) % 4]!],
  ])
}

function lookupIn(properties: Map<string, string>): (name: string) => string | null {
  return (name) => properties.get(name) ?? null
}
