import { edits, type Mutation } from './mutation.ts'

const dirty = edits('src/ring/dirty-bits.ts')
const ring = edits('src/ring/byte-ring.ts')
const rows = edits('src/ring/rows.ts')
const held = edits('src/broker/held-pulls.ts')

/** What dirty rows, byte rings and held pulls need. */
export const RING_MUTATIONS: readonly Mutation[] = [
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
    name: 'a ring publishes its tail before the record is in',
    scenario: 'rings',
    seed: 1,
    edits: [
      ring(
        'Atomics.store(this.#words, TAIL, (tail + padding + span) | 0) // publishes everything above\n',
        '',
      ),
      ring(
        'this.#put((tail + padding) | 0, length, record)',
        'Atomics.store(this.#words, TAIL, (tail + padding + span) | 0)\n    this.#put((tail + padding) | 0, length, record)',
      ),
    ],
  },
  {
    name: 'a ring gives room back before its records are taken',
    scenario: 'rings',
    seed: 46,
    edits: [
      ring(
        'head = (head + align8(length)) | 0\n',
        'head = (head + align8(length)) | 0\n      Atomics.store(this.#words, HEAD, tail)\n',
      ),
    ],
  },
  {
    name: 'a producer that found a ring full does not look again',
    scenario: 'rings',
    seed: 159,
    edits: [
      ring(
        'return this.#tryOffer(record) // room that came before the flag was there to be seen',
        'return false',
      ),
    ],
  },
  {
    name: 'a producer looks again before it says that it wants room',
    scenario: 'rings',
    seed: 1344,
    edits: [
      ring(
        'Atomics.store(this.#words, WANTED, 1)\n    return this.#tryOffer(record)',
        'const isIn = this.#tryOffer(record)\n    Atomics.store(this.#words, WANTED, 1)\n    return isIn',
      ),
    ],
  },
  {
    name: 'a ring pads less than what is left to its end',
    scenario: 'rings',
    seed: 2,
    edits: [
      ring(
        'if (padding > 0) this.#pad(tail, padding)',
        'if (padding > 8) this.#pad(tail, padding)',
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
