import type { Command, Option } from './command.ts'
import { allOptions, OWN_OPTIONS } from './options.ts'

/** Words beside the commands, and what they do. */
const OTHERS = [
  ['help', 'Show the options of a command'],
  ['shell', 'Run lines over connections that stay open'],
  ['completion', 'Print a script for the shell that completes these words'],
] as const

const SHELLS: Readonly<Record<string, (commands: readonly Command[]) => string>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
}

/** Words of the command line after the tool's name, made of what the commands declare. Null: no such shell. */
export function completionScript(shell: string, commands: readonly Command[]): string | null {
  return Object.hasOwn(SHELLS, shell) ? SHELLS[shell]!(commands) : null
}

function optionsOf(command: Command): readonly Option[] {
  return [...allOptions(command), ...OWN_OPTIONS]
}

function wordsOf({ short, long, isLongOnly }: Option): string[] {
  return isLongOnly === true ? [`--${long}`] : [`-${short}`, `--${long}`]
}

/** Names count in any case; bash of macOS is 3.2. */
function bashScript(commands: readonly Command[]): string {
  const names = commands.map(({ name }) => name)
  const cases = commands.map((command) => {
    const words = optionsOf(command).flatMap(wordsOf)
    return `    ${command.name.toLowerCase()}) words='${words.join(' ')}' ;;`
  })
  return `# bash: eval "$(mqadmin completion bash)", or this in a file that your shell reads.
_mqadmin_matching() {
  local each
  shopt -s nocasematch
  for each in $2; do [[ $each == "$1"* ]] && printf '%s\\n' "$each"; done
}
_mqadmin() {
  local word=\${COMP_WORDS[COMP_CWORD]} words=
  if [ "$COMP_CWORD" -eq 1 ] || { [ "$COMP_CWORD" -eq 2 ] && [ "\${COMP_WORDS[1]}" = help ]; }; then
    words='${[...names, ...OTHERS.map(([name]) => name)].join(' ')}'
  else
    case $(printf %s "\${COMP_WORDS[1]}" | tr '[:upper:]' '[:lower:]') in
    completion) words='${Object.keys(SHELLS).join(' ')}' ;;
    shell) words='-n --namesrvAddr' ;;
${cases.join('\n')}
    esac
  fi
  COMPREPLY=($(_mqadmin_matching "$word" "$words"))
}
complete -o default -F _mqadmin mqadmin
`
}

function zshScript(commands: readonly Command[]): string {
  const rows = [...commands.map(({ name, doc }) => [name, doc] as const), ...OTHERS]
  const described = rows.map(([name, doc]) => `    ${quoted(`${name}:${doc}`)}`)
  const cases = commands.map((command) => {
    const specs = optionsOf(command).flatMap(zshSpecs)
    return `    ${command.name.toLowerCase()}) specs=(${specs.join(' ')}) ;;`
  })
  return `#compdef mqadmin
# zsh: eval "$(mqadmin completion zsh)" behind compinit, or this as _mqadmin in a folder of fpath.
_mqadmin() {
  local -a names specs
  names=(
${described.join('\n')}
  )
  if (( CURRENT == 2 )) || [[ CURRENT -eq 3 && $words[2] == help ]]; then
    _describe -t commands 'command' names -M 'm:{a-zA-Z}={A-Za-z}'
    return
  fi
  case \${(L)words[2]} in
    completion) specs=('1:shell:(${Object.keys(SHELLS).join(' ')})') ;;
    shell) specs=(-n'[name servers]:arg:' --namesrvAddr'[name servers]:arg:') ;;
${cases.join('\n')}
  esac
  shift words
  (( CURRENT-- ))
  _arguments $specs
}
if [[ \${funcstack[1]} == _mqadmin ]]; then _mqadmin "$@"; else compdef _mqadmin mqadmin; fi
`
}

function zshSpecs(option: Option): string[] {
  const doc = option.doc.replaceAll(/[[\]\\:]/g, '\\$&')
  const value = option.isFlag === true ? '' : ':value:_files'
  return wordsOf(option).map((word) => quoted(`${word}[${doc}]${value}`))
}

function fishScript(commands: readonly Command[]): string {
  const rows = [...commands.map(({ name, doc }) => [name, doc] as const), ...OTHERS]
  const names = rows.map(
    ([name, doc]) => `complete -c mqadmin -f -n __fish_use_subcommand -a ${name} -d ${quoted(doc)}`,
  )
  const helps = `complete -c mqadmin -f -n '__fish_seen_subcommand_from help' -a '${commands.map(({ name }) => name).join(' ')}'`
  const shells = `complete -c mqadmin -f -n '__fish_seen_subcommand_from completion' -a '${Object.keys(SHELLS).join(' ')}'`
  const options = commands.flatMap((command) =>
    optionsOf(command).map((option) => fishOption(command.name, option)),
  )
  return `# fish: mqadmin completion fish | source, or this in ~/.config/fish/completions/mqadmin.fish.
${[...names, helps, shells, ...options].join('\n')}
`
}

function fishOption(name: string, { short, long, doc, isFlag, isLongOnly }: Option): string {
  const letter = isLongOnly === true ? '' : short.length === 1 ? ` -s ${short}` : ` -o ${short}`
  const value = isFlag === true ? '' : ' -r'
  const at = `-n '__fish_seen_subcommand_from ${name}'`
  return `complete -c mqadmin ${at}${letter} -l ${quoted(long)}${value} -d ${quoted(doc)}`
}

/** Literally, for any of the shells. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
