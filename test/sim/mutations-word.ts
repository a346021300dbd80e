import { edits, type Mutation } from './mutation.ts'

const position = edits('src/ring/position.ts')
const lock = edits('src/ring/lock.ts')
const signal = edits('src/ring/signal.ts')
const agent = edits('src/ring/agent.ts')

/** What positions, locks and signals need. */
export const WORD_MUTATIONS: readonly Mutation[] = [
  {
    name: 'a position is read without looking at the high word twice',
    scenario: 'positions',
    seed: 1,
    edits: [position('if (Atomics.load(words, at) === again) return', 'return')],
  },
  {
    name: 'a position is read from the front',
    scenario: 'positions',
    seed: 8,
    edits: [
      position(
        'const again = Atomics.load(words, at + 2) // before low: see above',
        'const again = Atomics.load(words, at)',
      ),
      position(
        'if (Atomics.load(words, at) === again)',
        'if (Atomics.load(words, at + 2) === again)',
      ),
    ],
  },
  {
    name: 'a crossing position does not store the high word first',
    scenario: 'positions',
    seed: 1,
    edits: [position('Atomics.store(words, at, high) // readers that pass now retry', '')],
  },
  {
    name: 'a crossing position does not store the second high word',
    scenario: 'positions',
    seed: 1,
    edits: [position('Atomics.store(words, at + 2, high) // and are let through again', '')],
  },
  {
    name: 'a crossing position stores both high words first',
    scenario: 'positions',
    seed: 3,
    edits: [
      position(
        'Atomics.store(words, at, high) // readers that pass now retry',
        'Atomics.store(words, at, high)\n  Atomics.store(words, at + 2, high)',
      ),
    ],
  },
  {
    name: 'a position moves by its low word only',
    scenario: 'positions',
    seed: 1,
    edits: [position('if (words[at] !== high) {', 'if (words[at] === -1) {')],
  },
  {
    name: 'the lock is never taken',
    scenario: 'locks',
    seed: 1,
    edits: [
      lock(
        'if (Atomics.compareExchange(this.#words, this.#at, FREE, HELD) !== FREE) this.#waitForIt()',
        'Atomics.store(this.#words, this.#at, HELD)',
      ),
    ],
  },
  {
    name: 'the lock is taken by a load and a store',
    scenario: 'locks',
    seed: 1,
    edits: [
      lock(
        'if (Atomics.compareExchange(this.#words, this.#at, FREE, HELD) !== FREE) this.#waitForIt()',
        'if (Atomics.load(this.#words, this.#at) === FREE) Atomics.store(this.#words, this.#at, HELD)\n    else this.#waitForIt()',
      ),
    ],
  },
  {
    name: 'a waiter does not mark the lock CONTENDED',
    scenario: 'locks',
    seed: 1,
    edits: [
      lock(
        'while (Atomics.exchange(this.#words, this.#at, CONTENDED) !== FREE) {',
        'while (Atomics.compareExchange(this.#words, this.#at, FREE, HELD) !== FREE) {',
      ),
      lock(
        'Atomics.wait(this.#words, this.#at, CONTENDED, WAIT_MS)',
        'Atomics.wait(this.#words, this.#at, HELD, WAIT_MS)',
      ),
    ],
  },
  {
    name: 'a waiter that gets the lock forgets those behind it',
    scenario: 'locks',
    seed: 1,
    edits: [
      lock(
        'while (Atomics.exchange(this.#words, this.#at, CONTENDED) !== FREE) {',
        `for (;;) {
      if (Atomics.compareExchange(this.#words, this.#at, FREE, HELD) === FREE) return
      if (Atomics.compareExchange(this.#words, this.#at, HELD, CONTENDED) === FREE) continue`,
      ),
    ],
  },
  {
    name: 'the lock is given back by a load and a store',
    scenario: 'locks',
    seed: 28,
    edits: [
      lock(
        'const before = Atomics.exchange(this.#words, this.#at, FREE)',
        'const before = Atomics.load(this.#words, this.#at)\n    Atomics.store(this.#words, this.#at, FREE)',
      ),
    ],
  },
  {
    name: 'giving back a contended lock wakes nobody',
    scenario: 'locks',
    seed: 1,
    edits: [
      lock('if (before === CONTENDED) Atomics.notify(this.#words, this.#at, 1)', 'void before'),
    ],
  },
  {
    name: 'a wait for the lock does not look at the poison word',
    scenario: 'poison',
    seed: 1,
    edits: [lock('WAIT_MS)\n      this.#poison.check()', 'WAIT_MS)')],
  },
  {
    name: 'who gets the lock does not look at the poison word',
    scenario: 'poison',
    seed: 1,
    edits: [
      lock('may just have.\n    this.#poison.check()', 'may just have.'),
      lock('WAIT_MS)\n      this.#poison.check()', 'WAIT_MS)'),
    ],
  },
  {
    name: 'a wait for the lock never times out',
    scenario: 'poison',
    seed: 1,
    edits: [lock('const WAIT_MS = 200', 'const WAIT_MS = Infinity')],
  },
  {
    name: 'a sleeper does not compare what it has seen',
    scenario: 'signals',
    seed: 17,
    edits: [
      signal(
        'Atomics.wait(this.#words, this.#at, seen, ms)',
        'const now = Atomics.load(this.#words, this.#at)\n    Atomics.wait(this.#words, this.#at, now, ms)',
      ),
      signal(
        'const wait = Atomics.waitAsync(this.#words, this.#at, seen)',
        'const now = Atomics.load(this.#words, this.#at)\n    const wait = Atomics.waitAsync(this.#words, this.#at, now)',
      ),
    ],
  },
  {
    name: 'a sleeper does not say that it sleeps',
    scenario: 'signals',
    seed: 6,
    edits: [
      signal(
        'Atomics.store(this.#words, this.#at + 1, seen | 1) // first the flag, then the count (in wait)',
        '',
      ),
    ],
  },
  {
    name: 'a wake looks at the flag before it counts',
    scenario: 'signals',
    seed: 185,
    edits: [
      signal(
        'const count = Atomics.add(this.#words, this.#at, WAKE) + WAKE\n    const flag = Atomics.load(this.#words, this.#at + 1)',
        'const flag = Atomics.load(this.#words, this.#at + 1)\n    const count = Atomics.add(this.#words, this.#at, WAKE) + WAKE',
      ),
    ],
  },
  {
    name: 'a wake takes the flag down though the sleeper has seen it',
    scenario: 'signals',
    seed: 181,
    edits: [
      signal(
        'if (flag === AWAKE || ((count - flag) | 0) < 0) return',
        'void count\n    if (flag === AWAKE) return',
      ),
    ],
  },
  {
    name: 'a nap does not compare the rouses it has seen',
    scenario: 'signals',
    seed: 121,
    edits: [
      signal(
        'Atomics.wait(this.#words, this.#at + 2, this.#rousesSeen, ms)',
        'const now = Atomics.load(this.#words, this.#at + 2)\n    Atomics.wait(this.#words, this.#at + 2, now, ms)',
      ),
    ],
  },
  {
    name: 'an agent looks at its signal after its turn',
    scenario: 'signals',
    seed: 35,
    edits: [
      agent(
        'const seen = signal.seen() // before the turn: a wake during it ends the wait at once\n',
        '',
      ),
      agent(
        'const ms = agent.idleMs()',
        'const seen = signal.seen()\n    const ms = agent.idleMs()',
      ),
    ],
  },
  {
    name: 'an event loop looks at its signal after its turn',
    scenario: 'signals',
    seed: 11,
    edits: [
      agent('const seen = signal.seen()\n    turn()', 'turn()\n    const seen = signal.seen()'),
    ],
  },
]
