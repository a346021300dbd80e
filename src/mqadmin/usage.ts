import type { Command, Option } from './command.ts'
import { allOptions } from './options.ts'

/** Apache's width (commons-cli). */
const WIDTH = 110
const NAME_WIDTH = 35

/** What `mqadmin` alone prints. */
export function commandList(commands: readonly { name: string; doc: string }[]): string {
  const lines = commands.map(({ name, doc }) => `   ${name.padEnd(NAME_WIDTH)} ${doc}`)
  return [
    'The most commonly used mqadmin commands are:',
    ...lines,
    '',
    "See 'mqadmin help <command>' for more information on a specific command.",
    "'mqadmin shell' runs lines over connections that stay open, 'mqadmin completion bash|zsh|fish' completes them.",
    '',
  ].join('\n')
}

/** What `mqadmin help NAME` prints, and every mistake with options. */
export function usage(command: Command): string {
  const options = allOptions(command)
  const heads = options.map(headOf)
  const width = Math.max(...heads.map((head) => head.length)) + 3
  const rows = options.map(({ doc }, nth) => ` ${heads[nth]!.padEnd(width)}${doc}`)
  return `${wrap(synopsis(command, options))}\n${rows.join('\n')}\n`
}

function headOf({ short, long, isFlag, isLongOnly }: Option): string {
  const names = isLongOnly === true ? `   --${long}` : `-${short},--${long}`
  return `${names}${isFlag === true ? '' : ' <arg>'}`
}

function synopsis({ name, oneOf = [] }: Command, options: readonly Option[]): string[] {
  const shown = new Set<string>()
  const words = [`usage: mqadmin ${name}`]
  for (const option of options) {
    if (shown.has(option.short)) continue
    const group = oneOf.find((each) => each.includes(option.short))
    if (group === undefined) words.push(optional(option))
    else {
      const members = options.filter(({ short }) => group.includes(short))
      for (const { short } of members) shown.add(short)
      words.push(members.map(bare).join(' | '), '')
    }
  }
  return words
}

function optional(option: Option): string {
  return option.isRequired === true ? bare(option) : `[${bare(option)}]`
}

function bare({ short, long, isFlag, isLongOnly }: Option): string {
  const name = isLongOnly === true ? `--${long}` : `-${short}`
  return isFlag === true ? name : `${name} <arg>`
}

function wrap(words: readonly string[]): string {
  const indent = ' '.repeat('usage: '.length)
  const lines = ['']
  for (const word of words) {
    const last = lines.at(-1)!
    const longer = last === '' ? word : `${last} ${word}`
    if (longer.length <= WIDTH || last === '') lines[lines.length - 1] = longer
    else lines.push(`${indent}${word}`)
  }
  return lines.join('\n')
}
