import { edits, type Mutation } from './mutation.ts'

const position = edits('src/ring/position.ts')
const lock = edits('src/ring/lock.ts')
const signal = edits('src/ring/signal.ts')
const agent = edits('src/ring/agent.ts')
const dirty = edits('src/ring/dirty-bits.ts')
const rows = edits('src/ring/rows.ts')
const held = edits('src/broker/held-pulls.ts')

/** What the words of `src/ring` and a held pull need. */
export const RING_MUTATIONS: readonly Mutation[] = [
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
  {
    name: 'dirty rows: the summary bit is set before the bit',
    scenario: 'dirty-rows',
    seed: 14,
    edits: [
      dirty('Atomics.or(this.#bits, word, 1 << (row & 31))\n', ''),
      dirty(
        'Atomics.or(this.#summary, word >>> 5, 1 << (word & 31))',
        'Atomics.or(this.#summary, word >>> 5, 1 << (word & 31))\n    Atomics.or(this.#bits, word, 1 << (row & 31))',
      ),
    ],
  },
  {
    name: 'dirty rows: bits are cleared before their summary',
    scenario: 'dirty-rows',
    seed: 17,
    edits: [
      dirty(
        'let words = Atomics.exchange(this.#summary, at, 0)',
        'let words = Atomics.load(this.#summary, at)',
      ),
      dirty(
        '        this.#takeWord(at * 32 + bit, target)\n      }',
        '        this.#takeWord(at * 32 + bit, target)\n      }\n      Atomics.store(this.#summary, at, 0)',
      ),
    ],
  },
  {
    name: 'dirty rows: bits are taken by a load and a store',
    scenario: 'dirty-rows',
    seed: 7,
    edits: [
      dirty(
        'let rows = Atomics.exchange(this.#bits, word, 0)',
        'let rows = Atomics.load(this.#bits, word)\n    Atomics.store(this.#bits, word, 0)',
      ),
    ],
  },
  {
    name: 'dirty rows: the summary is taken by a load and a store',
    scenario: 'dirty-rows',
    seed: 17,
    edits: [
      dirty(
        'let words = Atomics.exchange(this.#summary, at, 0)',
        'let words = Atomics.load(this.#summary, at)\n      Atomics.store(this.#summary, at, 0)',
      ),
    ],
  },
  {
    name: 'a pull parks without reading max again',
    scenario: 'held-pulls',
    seed: 1,
    edits: [
      held(
        'if (this.#rows.max(pull.row) <= pull.offset) return true // after the bit: see above',
        'return true',
      ),
    ],
  },
  {
    name: 'a pull reads max again before it sets its waiter bit',
    scenario: 'held-pulls',
    seed: 1,
    edits: [
      held(
        'this.#rows.setWaiter(pull.row, this.#worker)\n',
        'const max = this.#rows.max(pull.row)\n',
      ),
      held(
        'if (this.#rows.max(pull.row) <= pull.offset) return true',
        'this.#rows.setWaiter(pull.row, this.#worker)\n    if (max <= pull.offset) return true',
      ),
    ],
  },
  {
    name: 'a waiter bit is set by a load and a store',
    scenario: 'held-pulls',
    seed: 8,
    edits: [
      rows(
        'Atomics.or(this.#words, row * ROW_WORDS + WAITERS, 1 << worker)',
        'const at = row * ROW_WORDS + WAITERS\n    const bits = Atomics.load(this.#words, at)\n    Atomics.store(this.#words, at, bits | (1 << worker))',
      ),
    ],
  },
  {
    name: 'waiters are taken by a load and a store',
    scenario: 'held-pulls',
    seed: 8,
    edits: [
      rows(
        'return Atomics.exchange(this.#words, at, 0)',
        'const waiters = Atomics.load(this.#words, at)\n    Atomics.store(this.#words, at, 0)\n    return waiters',
      ),
    ],
  },
]
