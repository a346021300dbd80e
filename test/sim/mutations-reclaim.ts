import { edits, type Mutation } from './mutation.ts'

const floor = edits('src/ring/floor.ts')
const memory = edits('src/store/log-memory.ts')
const window = edits('src/store/log-window.ts')

/** What floors, room in the window and its edges need. */
export const RECLAIM_MUTATIONS: readonly Mutation[] = [
  {
    name: 'a floor is set without looking at reclaimed afterwards',
    scenario: 'reclaim',
    seed: 1,
    edits: [
      floor(
        'if (position >= this.#reclaimed.value()) return true',
        'if (position !== -1) return true',
      ),
    ],
  },
  {
    name: 'a floor is set after looking at reclaimed for the last time',
    scenario: 'reclaim',
    seed: 6,
    edits: [
      floor(
        'Atomics.store(this.#words, this.#at, position & ~1) // first our floor, then their position\n    if (position >= this.#reclaimed.value()) return true',
        'const holds = position >= this.#reclaimed.value()\n    Atomics.store(this.#words, this.#at, position & ~1)\n    if (holds) return true',
      ),
    ],
  },
  {
    name: 'a floor compares low words',
    scenario: 'log',
    seed: 1,
    edits: [
      floor(
        'if (position < this.#reclaimed.value()) return false // a floor down there would stop appenders\n',
        '',
      ),
      floor(
        'if (position >= this.#reclaimed.value()) return true',
        'if (((position - this.#reclaimed.value()) | 0) >= 0) return true',
      ),
    ],
  },
  {
    name: 'a floor is set above what is read',
    scenario: 'reclaim',
    seed: 3,
    edits: [
      floor(
        'Atomics.store(this.#words, this.#at, position & ~1) // first',
        'Atomics.store(this.#words, this.#at, (position + 64) & ~1) // first',
      ),
    ],
  },
  {
    name: 'reclaimed is moved after the floors are read',
    scenario: 'reclaim',
    seed: 13,
    edits: [
      window('shared.moveReclaimed(target)\n', ''),
      window(
        'shared.verified.publish(target)',
        'shared.moveReclaimed(target)\n    shared.verified.publish(target)',
      ),
    ],
  },
  {
    name: 'room is made without looking at the floors',
    scenario: 'reclaim',
    seed: 1,
    edits: [window('if (!shared.floorsAreAbove(target)) return false\n', '')],
  },
  {
    name: 'room is made although a floor was in the way before',
    scenario: 'reclaim',
    seed: 4,
    edits: [
      window(
        'if (!shared.floorsAreAbove(target)) return false\n    shared.verified.publish(target)',
        'shared.verified.publish(target)\n    if (!shared.floorsAreAbove(target)) return false',
      ),
    ],
  },
  {
    name: 'room is made without looking at written',
    scenario: 'log',
    seed: 7,
    edits: [
      window(
        'Math.min(Math.ceil(lowest / step) * step, shared.written.value())',
        'Math.ceil(lowest / step) * step',
      ),
    ],
  },
  {
    name: 'reclaimed goes back after an append that found no room',
    scenario: 'reclaim',
    seed: 16702,
    within: 60_000,
    edits: [
      memory(
        'if (position > this.#reclaimed.value()) this.#reclaimed.publish(position)',
        'this.#reclaimed.publish(position)',
      ),
    ],
  },
  {
    name: 'what overruns the window is not copied to its head',
    scenario: 'log',
    seed: 3,
    edits: [window('if (over > 0) this.bytes', 'if (over > 1e9) this.bytes')],
  },
  {
    name: 'zeros of a blank record stop at the window end',
    scenario: 'log',
    seed: 6,
    edits: [window('at += length\n', 'at += length + end\n')],
  },
]
