import { expect, test } from 'vitest'
import { AdminError, type Command } from '../../src/mqadmin/command.ts'
import { parseOptions } from '../../src/mqadmin/options.ts'
import { usage } from '../../src/mqadmin/usage.ts'

const COMMAND: Command = {
  name: 'updateTopic',
  doc: 'Update or create topic.',
  options: [
    { short: 't', long: 'topic', doc: 'topic name', isRequired: true },
    { short: 'b', long: 'brokerAddr', doc: 'create topic to which broker' },
    { short: 'c', long: 'clusterName', doc: 'create topic to which cluster' },
    { short: 'r', long: 'readQueueNums', doc: 'set read queue nums' },
    { short: 'l', long: 'list', doc: 'as a list', isFlag: true },
  ],
  oneOf: [['b', 'c']],
  run: () => Promise.resolve(),
}

test.each([
  ['-t A -b x:1 -r 4', { t: 'A', b: 'x:1', r: '4' }],
  ['--topic A --clusterName=C -l', { t: 'A', c: 'C', l: 'true' }],
  ['-t=A -c C -n h:1;h:2', { t: 'A', c: 'C', n: 'h:1;h:2' }],
])('%s is read', (line, wanted) => {
  const given = parseOptions(COMMAND, line.split(' '))
  for (const [short, value] of Object.entries(wanted)) expect(given.text(short)).toBe(value)
})

test.each([
  ['-b x:1', 'Missing required option: t'],
  [
    '-t A',
    'Missing required option: [-b create topic to which broker, -c create topic to which cluster]',
  ],
  ['-t A -b x -z 1', 'Unrecognized option: -z'],
  ['-t A -b x extra', 'Unrecognized argument: extra'],
  ['-b x -t', 'Missing argument for option: t'],
  ['-t A -b x -c C', "The option 'c' was given, but 'b' is there already: one of them"],
])('%s is refused', (line, message) => {
  expect(() => parseOptions(COMMAND, line.split(' '))).toThrow(message)
})

test('a number or a truth that is none is named with what is allowed', () => {
  const given = parseOptions(COMMAND, ['-t', 'A', '-b', 'x', '-r', 'many'])
  expect(() => given.integer('r', 8, { min: 0 })).toThrow(AdminError)
  expect(() => given.integer('r', 8, { min: 0 })).toThrow('-r many: it must be an integer from 0')
  expect(() => given.boolean('r', false)).toThrow('-r many: it must be true or false')
})

test('the usage is laid out as the one of Apache', () => {
  expect(usage(COMMAND)).toBe(
    [
      'usage: mqadmin updateTopic -b <arg> | -c <arg>  [-h] [-l] [-n <arg>] [-r <arg>] -t <arg>',
      ' -b,--brokerAddr <arg>      create topic to which broker',
      ' -c,--clusterName <arg>     create topic to which cluster',
      ' -h,--help                  Print help',
      ' -l,--list                  as a list',
      " -n,--namesrvAddr <arg>     Name servers, e.g. '192.168.0.1:9876;192.168.0.2:9876'; else NAMESRV_ADDR",
      ' -r,--readQueueNums <arg>   set read queue nums',
      ' -t,--topic <arg>           topic name',
      '',
    ].join('\n'),
  )
})

test('an option without a short form is taken by its long one only', () => {
  const dryRun = { short: 'dry', long: 'dry-run', doc: 'try', isFlag: true, isLongOnly: true }
  const command: Command = { ...COMMAND, options: [dryRun], oneOf: [] }
  expect(parseOptions(command, ['--dry-run']).has('dry')).toBe(true)
  expect(() => parseOptions(command, ['-dry'])).toThrow('Unrecognized option: -dry')
  expect(usage(command)).toContain('usage: mqadmin updateTopic [--dry-run] [-h]')
  expect(usage(command)).toMatch(/^ {4}--dry-run +try$/m)
})
