import { afterAll, beforeAll, expect, test } from 'vitest'
import { commandNames, loadAll } from '../../src/mqadmin/commands.ts'
import { LINES } from './command-lines.ts'
import { CommandWorld } from './command-world.ts'

let world: CommandWorld
beforeAll(async () => {
  world = await CommandWorld.open()
}, 60_000)
afterAll(() => world.close())

test('every command that is no refusal has its line', async () => {
  const commands = await loadAll()
  const working = commands.filter(({ takesAnything }) => takesAnything !== true)
  const named = new Set(LINES.map(({ line }) => line.split(' ')[0]))
  expect(named).toEqual(new Set(working.map(({ name }) => name)))
  expect(commandNames).toHaveLength(89)
})

test.each(LINES)('$line says the same as text, as data, and in any case', async (each) => {
  const { isEndless, fails } = each
  const line = world.filled(each.line)
  const text = await world.run(
    line.replace(/^\w+/, (name) => name.toUpperCase()),
    { isEndless },
  )
  if (fails !== undefined) {
    expect([text.code, text.stderr]).toEqual([1, expect.stringContaining(fails)])
    const old = await world.run(`${line} --apache-exit-codes`)
    return expect([old.code, old.stderr]).toEqual([0, text.stderr])
  }
  expect([text.stderr, text.code]).toEqual(['', 0])
  if (/^delete|^updateOrderConf.* delete/.test(line)) return // there is nothing left to say it of again
  const data = await world.run(`${line} --json`, { isEndless })
  expect([data.stderr, data.code]).toEqual(['', 0])
  const values = data.stdout.trimEnd().split('\n')
  for (const value of values) expect(JSON.parse(value)).toBeTypeOf('object')
  expect(text.stdout).not.toBe('')
})
