import { describe, expect, test } from 'vitest'

import { parseArguments, usage, UsageError } from '../../src/main/arguments.ts'

describe('a flag and its value', () => {
  test.each([
    ['-c', 'broker.conf'],
    ['-cbroker.conf'],
    ['-c=broker.conf'],
    ['--configFile', 'broker.conf'],
    ['--configFile=broker.conf'],
    ['-configFile', 'broker.conf'],
  ])('can be written %s %s', (...argv: string[]) => {
    expect(parseArguments(argv, 'mqbroker')).toEqual({ configFile: 'broker.conf' })
  })
})

test('all flags go together', () => {
  const argv = ['-n', '10.0.0.1:9876;10.0.0.2:9876', '-c', 'a=b.conf', '-m']
  expect(parseArguments(argv, 'mqbroker')).toEqual({
    namesrvAddr: '10.0.0.1:9876;10.0.0.2:9876',
    configFile: 'a=b.conf',
    print: 'important',
  })
})

test('words that are no flags are kept, such as the class name that scripts look for', () => {
  const argv = ['org.apache.rocketmq.namesrv.NamesrvStartup', '-p', '&']
  expect(parseArguments(argv, 'mqnamesrv')).toEqual({ print: 'all', words: [argv[0], '&'] })
})

test.each([
  ['-zz', 'Unrecognized option: -zz'],
  ['--configfile=x', 'Unrecognized option: --configfile=x'],
  ['--enable-proxy', 'Unrecognized option: --enable-proxy (RingMQ has no proxy)'],
  ['-c', 'Missing argument for option: c'],
  ['--namesrvAddr', 'Missing argument for option: n'],
])('%s alone is refused: %s', (written, message) => {
  expect(() => parseArguments([written], 'mqbroker')).toThrow(new UsageError(message))
})

test('a flag is no value', () => {
  expect(() => parseArguments(['-c', '-p'], 'mqbroker')).toThrow('Missing argument for option: c')
})

test('-m belongs to the broker', () => {
  expect(() => parseArguments(['-m'], 'mqnamesrv')).toThrow('Unrecognized option: -m')
})

test('the usage of the broker is that of Apache 5.3.3', () => {
  expect(usage('mqbroker')).toBe(`usage: mqbroker [-c <arg>] [-h] [-m] [-n <arg>] [-p]
 -c,--configFile <arg>       Broker config properties file
 -h,--help                   Print help
 -m,--printImportantConfig   Print important config item
 -n,--namesrvAddr <arg>      Name server address list, eg: '192.168.0.1:9876;192.168.0.2:9876'
 -p,--printConfigItem        Print all config item
`)
})

test('the usage of the name server is that of Apache 5.3.3', () => {
  expect(usage('mqnamesrv')).toBe(`usage: mqnamesrv [-c <arg>] [-h] [-n <arg>] [-p]
 -c,--configFile <arg>    Name server config properties file
 -h,--help                Print help
 -n,--namesrvAddr <arg>   Name server address list, eg: '192.168.0.1:9876;192.168.0.2:9876'
 -p,--printConfigItem     Print all config items
`)
})
