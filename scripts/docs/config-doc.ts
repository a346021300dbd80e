import { brokerDeclaration } from '../../src/config/broker.ts'
import type { Declaration } from '../../src/config/load.ts'
import { namesrvDeclaration } from '../../src/config/namesrv.ts'
import { isDerived, type Setting, type Settings } from '../../src/config/setting.ts'

type Documented = Pick<Declaration<Settings>, 'settings' | 'apacheKeys'>

/** The text of docs/config.md, from the declarations in src/config. */
export function configDoc(): string {
  return [
    INTRODUCTION,
    ...fileDoc('Broker: `mqbroker -c FILE`', brokerDeclaration),
    ...fileDoc('Name server: `mqnamesrv -c FILE`', namesrvDeclaration),
  ].join('\n')
}

const INTRODUCTION = `# Configuration

The files are Java properties files with the keys of Apache RocketMQ 5.3.3; an existing \`broker.conf\` or \`namesrv.conf\` works.
\`mqbroker -p\` prints what is in force. What the command line says wins over the file, the file over the environment.

Three things differ from Apache, which keeps its default in silence in all of them:

- A value that is not allowed ends the start with an error that names key, value and what is allowed.
- A key that nobody knows is named in a warning, with the name that was probably meant.
- A key that Apache has and RingMQ does not honour is named in a warning.

As with Apache, \`#\` starts a comment only at the beginning of a line: behind a value it is part of the value. RingMQ warns about it.
`

function fileDoc(title: string, { settings, apacheKeys }: Documented): string[] {
  const declared = Object.entries(settings)
  const ofApache = declared.filter(([, { own }]) => !own)
  const own = declared.filter(([, setting]) => setting.own)
  const others = [...apacheKeys().keys()].filter((key) => !Object.hasOwn(settings, key))
  return [
    `## ${title}\n`,
    ...table(ofApache),
    "\n### RingMQ's own\n",
    ...table(own),
    '\n### Keys of Apache that are not honoured\n',
    `${others.map((key) => `\`${key}\``).join(' ')}\n`,
  ]
}

function table(rows: [string, Setting][]): string[] {
  return [
    '| key | type | default | allowed | meaning |',
    '| --- | --- | --- | --- | --- |',
    ...rows.map(([key, setting]) => row(key, setting)),
  ]
}

function row(key: string, setting: Setting): string {
  const cells = [`\`${key}\``, setting.type, defaultOf(setting), setting.allowed, setting.doc]
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}

function defaultOf({ default: value }: Setting): string {
  if (isDerived(value)) return value.from
  return value === '' ? '(empty)' : `\`${value}\``
}
