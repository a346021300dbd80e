import type { Command, Option } from '../../src/mqadmin/command.ts'
import { loadAll } from '../../src/mqadmin/commands.ts'

/** The text of docs/mqadmin.md. */
export async function mqadminDoc(): Promise<string> {
  const commands = await loadAll()
  const isRefused = ({ takesAnything }: Command) => takesAnything === true
  return [
    '# mqadmin\n',
    'Generated from `src/mqadmin` by `npm run docs`. Names, options and output are those of Apache RocketMQ 5.3.3; names may be written in any case.\n',
    'Every command also has `-n host:port;host:port` for the name servers (else NAMESRV_ADDR), `-h`, `--json` for its result as data, and `--apache-exit-codes`, which ends with 0 when it failed, as Apache does. Otherwise a command that failed ends with 1, and says why in one sentence on stderr.\n',
    ...commands.filter((command) => !isRefused(command)).map(commandDoc),
    '## Not supported\n',
    'They are for parts of Apache that RingMQ does not have, say so, and end with 1.\n',
    '| command | why |',
    '| --- | --- |',
    ...commands.filter(isRefused).map(refusedRow),
    '',
  ].join('\n')
}

function commandDoc({ name, doc, options, oneOf = [] }: Command): string {
  const groups = oneOf.map((group) => `one of ${group.map((short) => `\`-${short}\``).join(', ')}`)
  const lines = [
    `## ${name}\n`,
    `${doc}\n`,
    groups.length > 0 && `Needs ${groups.join(' and ')}.\n`,
    options.length > 0 &&
      `${['| option | |', '| --- | --- |', ...options.map(optionRow)].join('\n')}\n`,
  ]
  return lines.filter((line) => line !== false).join('\n')
}

function optionRow({ short, long, doc, isFlag, isRequired }: Option): string {
  const needed = isRequired === true ? ' (needed)' : ''
  const value = isFlag === true ? '' : ' …'
  return `| \`-${short}${value}\`, \`--${long}${value}\` | ${cell(doc)}${needed} |`
}

function refusedRow({ name, doc }: Command): string {
  return `| ${name} | ${cell(doc.replace(/^Not supported: /, ''))} |`
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}
