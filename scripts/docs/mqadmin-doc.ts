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
    'On a terminal tables are as wide as what is in them, or, when the window is narrower, a row is shown by itself; heads have colours (not with NO_COLOR), and long work a bar. Into a pipe or a file goes what Apache prints.\n',
    '- `mqadmin help NAME` shows the options of a command.\n- `mqadmin shell` runs lines over connections that stay open: typed, with completion by Tab, or from a file (`mqadmin shell < lines`; it ends with 1 when a line failed). Quotes count as in a shell, `#` begins a comment, `exit` ends it.\n- `mqadmin completion bash`, `zsh` or `fish` prints the script that completes names and options there.\n',
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
