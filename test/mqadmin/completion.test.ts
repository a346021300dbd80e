import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { commandNames, loadAll } from '../../src/mqadmin/commands.ts'
import { completionScript } from '../../src/mqadmin/completion.ts'

const commands = await loadAll()

test.each(['bash', 'zsh', 'fish'])('the script for %s has every command and option', (shell) => {
  const script = completionScript(shell, commands)!
  for (const { name, options } of commands) {
    expect(script).toContain(name)
    for (const { long } of options) expect(script).toContain(long)
  }
  expect(script).toContain('apache-exit-codes')
})

test('there is none for another shell', () => {
  for (const shell of ['tcsh', '', 'constructor'])
    expect(completionScript(shell, commands)).toBeNull()
})

/** The shells that are here, and what checks a script without running it. */
const CHECKS = { bash: ['-n'], zsh: ['-n'], fish: ['--no-execute'] }

describe.each(Object.entries(CHECKS))('%s', (shell, flags) => {
  test.skipIf(!isHere(shell))('takes its script', () => {
    execFileSync(shell, [...flags, '-c', completionScript(shell, commands)!])
  })
})

describe.skipIf(!isHere('bash'))('bash completes', () => {
  test.each([
    [['UPDATETOPICP'], ['updateTopicPerm']],
    [['help', 'topicR'], ['topicRoute']],
    [['topicroute', '--t'], ['--topic']],
    [['updateTopic', '--apache'], ['--apache-exit-codes']],
    [['completion', 'z'], ['zsh']],
    [['topicRoute', '-t', 'X'], []],
  ])('%j to %j', (words, expected) => {
    expect(bashCompletes(words)).toEqual(expected)
  })

  test('any name', () => {
    expect(bashCompletes([''])).toEqual([...commandNames, 'help', 'shell', 'completion'])
  })
})

function bashCompletes(words: readonly string[]): string[] {
  const ask = `COMP_WORDS=(mqadmin "$@"); COMP_CWORD=$#; _mqadmin; printf '%s\\n' "\${COMPREPLY[@]}"`
  const script = `${completionScript('bash', commands)!}\n${ask}`
  const said = execFileSync('bash', ['-c', script, 'bash', ...words], { encoding: 'utf8' })
  return said.split('\n').filter((line) => line !== '')
}

function isHere(shell: string): boolean {
  try {
    execFileSync(shell, ['-c', 'exit 0'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
