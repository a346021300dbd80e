/** Wrong lines of every command: each fails with a clear sentence, and the cluster is as it was. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Command } from '../../src/mqadmin/command.ts'
import { loadAll } from '../../src/mqadmin/commands.ts'
import { type CommandLine, LINES, type Place, PLACES } from './command-lines.ts'
import { ABSENT, CommandWorld } from './command-world.ts'
import type { Ran } from './open-cluster.ts'

const commands = new Map((await loadAll()).map((command) => [command.name, command]))
/** Of lines that end: those of the others are their first rounds. */
const lines = LINES.filter(({ fails }) => fails === undefined)

let world: CommandWorld
beforeAll(async () => {
  world = await CommandWorld.open({ autoCreateTopicEnable: false })
}, 60_000)
afterAll(() => world.close())

/** `mqadmin NAME: ` and one sentence, without a trace of where it came from. */
function expectSentence({ code, stderr }: Ran, line: string): void {
  expect([line, code, stderr.trimEnd().split('\n').length]).toEqual([line, 1, 1])
  expect(stderr).toMatch(/^mqadmin \w+: \S.{10}/)
  expect(stderr).not.toMatch(/\bundefined\b|\bnull\b|\[object|\bat .*:\d+:\d+/)
}

async function expectUnchanged(work: () => Promise<void>): Promise<void> {
  const before = await world.snapshot()
  await work()
  expect(await world.snapshot()).toEqual(before)
}

const absent = lines.flatMap((each) =>
  placesOf(each).map((place) => ({ ...each, place, shown: `${each.line}: no such ${place}` })),
)

function placesOf({ line, anything = [] }: CommandLine): Place[] {
  return PLACES.filter((place) => line.includes(`{${place}}`) && !anything.includes(place))
}

test.each(absent)('$shown', async ({ line, place, isEndless }) => {
  const filled = world.filled(line, { [place]: ABSENT[place] })
  await expectUnchanged(async () => {
    const ran = await world.run(filled, { isEndless })
    expectSentence(ran, filled)
    expect(ran.stderr).toContain(ABSENT[place])
  })
})

/** Each line without one of the options that it needs. */
const incomplete = lines.flatMap(({ line }) => {
  const command = commands.get(line.split(' ')[0]!)!
  return neededBy(command, line).map((short) => ({ line, short }))
})

function neededBy({ options, oneOf = [] }: Command, line: string): string[] {
  const required = options.filter(({ isRequired }) => isRequired === true).map(({ short }) => short)
  const chosen = oneOf.flat().filter((short) => line.includes(` -${short} `))
  return [...required, ...chosen]
}

test.each(incomplete)('$line without -$short', async ({ line, short }) => {
  const without = world.filled(line).replace(new RegExp(` -${short}( [^ -]\\S*)?`), '')
  await expectUnchanged(async () => {
    const ran = await world.run(without)
    expect([without, ran.code]).toEqual([without, 1])
    expect(ran.stderr).toMatch(/^Missing required options?: .*\n$/)
    expect(ran.stdout).toMatch(/^usage: mqadmin /)
  })
})

test.each([...commands.values()].filter(({ takesAnything }) => takesAnything !== true))(
  '$name takes no option and no word that it does not have',
  async ({ name }) => {
    for (const word of ['--nosuch', 'word']) {
      const { code, stderr } = await world.run(`${name} ${word}`)
      expect([code, stderr]).toEqual([
        1,
        expect.stringMatching(/^Unrecognized \w+: (--nosuch|word)\n$/),
      ])
    }
  },
)

/** Each option that takes a number is given none. */
const numbers = ['many', '-7', '1.5', '99999999999999999999']
test.each([...commands.values()].filter(({ takesAnything }) => takesAnything !== true))(
  'numbers of $name that are none',
  async ({ name, options }) => {
    const line = world.filled(
      LINES.findLast((each) => each.line.startsWith(`${name} `))?.line ?? name,
    )
    const counts = options.filter(({ short, isFlag }) => isFlag !== true && isCount(name, short))
    await expectUnchanged(async () => {
      for (const { short } of counts) {
        for (const number of numbers) {
          const wrong = `${line.replace(new RegExp(` -${short} \\S+`), '')} -${short} ${number}`
          const ran = await world.run(wrong)
          expectSentence(ran, wrong)
          expect(ran.stderr).toContain(`-${short} ${number}`)
        }
      }
    })
  },
)

/** What is said of it names a number of something. */
function isCount(name: string, short: string): boolean {
  const { doc } = commands.get(name)!.options.find((option) => option.short === short)!
  return /^(most |number of|messages|bytes of|queues? (to|of)|seconds|again every|permission)/.test(
    doc,
  )
}

describe('without a name server', () => {
  /** Those that ask no broker alone. */
  const asking = lines.filter(({ line }) => !/ -b \{broker\}/.test(line))
  test.each(asking)('$line', async ({ line }) => {
    const filled = world.filled(line)
    const ran = await world.run(filled, { nameServer: '127.0.0.1:1' })
    expectSentence(ran, filled)
    expect(ran.stderr).toContain('127.0.0.1:1')
  })
})

describe.each([
  ['ends the connection', true],
  ['does not answer', false],
])('a broker that %s', (_, ends) => {
  test('is named by every command that asks it, and nothing changes elsewhere', async () => {
    const names = await world.openBroken((socket) => void (ends && socket.destroy()))
    const asking = lines.filter(
      (each) => placesOf(each).length > 0 && each.asksNoBroker !== true && each.isEndless !== true,
    )
    await expectUnchanged(async () => {
      await Promise.all(
        asking.map(async ({ line }) => {
          const filled = world.filled(line, names).replace(/-a \d/, '-a 1') // each waits for its time
          const ran = await world.run(filled, { timeoutMs: 500 })
          expectSentence(ran, filled)
        }),
      )
    })
  }, 60_000)
})
