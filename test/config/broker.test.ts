import { availableParallelism, homedir, hostname } from 'node:os'

import { describe, expect, test } from 'vitest'

import { apacheBrokerKeys } from '../../src/config/apache-keys.ts'
import { brokerDeclaration } from '../../src/config/broker.ts'
import { ConfigError, loadConfig } from '../../src/config/load.ts'
import { isDerived } from '../../src/config/setting.ts'

function load(overrides: Record<string, string> = {}) {
  return loadConfig(brokerDeclaration, { overrides })
}

const apacheKeys = apacheBrokerKeys()
const declared = Object.entries(brokerDeclaration.settings)
const ofApache = declared.filter(([, { own }]) => !own)

test('every key that is not our own is one of Apache', () => {
  expect(ofApache.map(([key]) => key).filter((key) => !apacheKeys.has(key))).toEqual([])
})

test('no key of our own is one of Apache', () => {
  const own = declared.filter((setting) => !ofApache.includes(setting)).map(([key]) => key)
  expect(own.filter((key) => apacheKeys.has(key))).toEqual([])
})

test("every default is Apache's", () => {
  // Apache's start-up class sets the port over the default of its config class; the table has no blanks.
  const messageDelayLevel = '1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h'
  const others = Object.entries({ listenPort: '10911', messageDelayLevel })
  const startup = new Map([...apacheKeys, ...others])
  const fixed = ofApache.flatMap(([key, setting]) =>
    isDerived(setting.default) ? [] : [[key, String(setting.default)]],
  )
  expect(fixed).toEqual(fixed.map(([key]) => [key, startup.get(key!)]))
})

describe('what is not given', () => {
  test('comes from the machine', () => {
    const { config } = load()
    expect(config.brokerName).toBe(hostname())
    expect(config.storePathRootDir).toBe(`${homedir()}/store`)
    expect(config.storePathCommitLog).toBe(`${homedir()}/store/commitlog`)
    expect(config.networkWorkers).toBeLessThanOrEqual(Math.min(4, availableParallelism()))
    expect(config.brokerIP1).not.toBe('0.0.0.0')
  })

  test('follows from what is given', () => {
    const given = { listenPort: '20911', storePathRootDir: '/data', bindAddress: '127.0.0.1' }
    expect(load(given).config).toMatchObject({
      haListenPort: 20912,
      storePathCommitLog: '/data/commitlog',
      brokerIP1: '127.0.0.1',
      brokerIP2: '127.0.0.1',
    })
  })

  test('a port chosen by the system has a replication port chosen by the system', () => {
    expect(load({ listenPort: '0' }).config.haListenPort).toBe(0)
  })
})

test('NAMESRV_ADDR is where the name servers come from when the file has none', () => {
  const environment = { NAMESRV_ADDR: '10.0.0.1:9876;10.0.0.2:9876' }
  const { config } = loadConfig(brokerDeclaration, { environment })
  expect(config.namesrvAddr).toBe('10.0.0.1:9876;10.0.0.2:9876')
})

test.each(['', 'broker a', 'broker/a', 'bröker', 'a\tb', 'a,b'])(
  'a broker cannot have the name "%s"',
  (brokerName) => {
    const allowed = 'a name of letters, digits and % | _ - .'
    const error = new ConfigError({ key: 'brokerName', value: brokerName, allowed })
    expect(() => load({ brokerName })).toThrow(error)
  },
)

test.each(['broker-a', 'Broker_1', 'a.example.org', '%b|c'])(
  'a broker can have the name %s',
  (brokerName) => expect(load({ brokerName }).config.brokerName).toBe(brokerName),
)

describe.each(['brokerIP1', 'brokerIP2', 'bindAddress'] as const)('%s', (key) => {
  test.each(['1.2.3', '1.2.3.4.5', '256.1.1.1', '1..2.3', '10.0.0.1.', '.1', '', 'a b'])(
    'cannot be "%s"',
    (value) =>
      expect(() => load({ [key]: value })).toThrow(
        `${key}=${value}: allowed is a host name or IP address`,
      ),
  )

  test.each(['1.2.3.4', 'broker.example.org', '3com.example', '1-2.3', '::1', 'fe80::1%eth0'])(
    'can be %s',
    (value) => expect(load({ [key]: value }).config[key]).toBe(value),
  )
})

test.each([1, 2])('listenPort %i is refused: it has no second port', (port) => {
  expect(() => load({ listenPort: String(port) })).toThrow(
    `listenPort=${port}: allowed is 0, or a number from 3 to 65535: the broker listens at listenPort - 2, too, which ${port - 2} cannot be`,
  )
})

test('listenPort 3 has a second port', () => {
  expect(load({ listenPort: '3' }).config.listenPort).toBe(3)
})

test('a role that would replicate is refused', () => {
  expect(() => load({ brokerRole: 'SLAVE' })).toThrow('brokerRole=SLAVE: allowed is ASYNC_MASTER')
  expect(() => load({ brokerRole: 'SYNC_MASTER' })).toThrow('does not replicate')
})

test('a master always has the number 0', () => {
  const { config, warnings } = load({ brokerId: '3' })
  expect(config.brokerId).toBe(0)
  expect(warnings).toEqual(['brokerId=3 is corrected to 0: brokerRole=ASYNC_MASTER is a master'])
})

test('a consume queue file holds whole entries', () => {
  const { config, warnings } = load({ mappedFileSizeConsumeQueue: '1001' })
  expect(config.mappedFileSizeConsumeQueue).toBe(1020)
  expect(warnings).toHaveLength(1)
})

test.each(['67108865', '4194304'])('a log window of %s bytes is refused', (logWindowSize) => {
  expect(() => load({ logWindowSize })).toThrow(
    `logWindowSize=${logWindowSize}: allowed is a power`,
  )
})

test('maxStoreBytes leaves room for two log files', () => {
  const mappedFileSizeCommitLog = '1048576'
  const least = { mappedFileSizeCommitLog, maxStoreBytes: '2MiB' }
  expect(load(least).config.maxStoreBytes).toBe(2 * 1024 ** 2)
  expect(() => load({ ...least, maxStoreBytes: '2097151' })).toThrow('maxStoreBytes=2097151')
})
