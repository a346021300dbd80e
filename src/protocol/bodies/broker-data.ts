import { body, bool, numberMap, optional, orElse, record, text } from '../json-shape.ts'
import type { BodyOf, Shape } from '../json-shape.ts'

/** `addresses`: how broker ids are written as keys. */
export function brokerDataShape(addresses: Shape<Map<number, string>>) {
  return record({
    brokerAddrs: orElse(addresses, new Map()),
    brokerName: text,
    cluster: orElse(text, ''),
    enableActingMaster: orElse(bool, false),
    zoneName: optional(text),
  })
}

/** The brokers of one name: id (0 is the master) to `ip:port`. */
export const BrokerData = body('BrokerData', brokerDataShape(numberMap(text)))
export type BrokerData = BodyOf<typeof BrokerData>
