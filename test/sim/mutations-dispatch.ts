import { edits, type Mutation } from './mutation.ts'

const flush = edits('src/store/flush-agent.ts')
const dispatch = edits('src/store/dispatch-agent.ts')

/** What flushing and publishing to followers need. */
export const DISPATCH_MUTATIONS: readonly Mutation[] = [
  {
    name: 'those who wait for flushed are told before it moves',
    scenario: 'log',
    seed: 4,
    edits: [
      flush(
        'this.#shared.flushed.publish(end)\n    this.#shared.wakeWaiting()',
        'this.#shared.wakeWaiting()\n    this.#shared.flushed.publish(end)',
      ),
    ],
  },
  {
    name: 'flush syncs less than it publishes',
    scenario: 'log',
    seed: 4,
    edits: [
      flush(
        'this.#shared.flushed.publish(end)',
        'this.#shared.flushed.publish(this.#shared.appended.value())',
      ),
    ],
  },
  {
    name: 'waiters are taken before max is published',
    scenario: 'log',
    seed: 24,
    edits: [
      dispatch(
        'this.#shared.rows.publishMax(tail.row, tail.next)\n      const waiters = this.#shared.rows.takeWaiters(tail.row)',
        'const waiters = this.#shared.rows.takeWaiters(tail.row)\n      this.#shared.rows.publishMax(tail.row, tail.next)',
      ),
    ],
  },
  {
    name: 'max is published before the entries are written',
    scenario: 'log',
    seed: 37,
    edits: [
      dispatch(
        'let workers = 0\n    for (const tail of this.#touched) tail.flush()\n',
        'let workers = 0\n',
      ),
      dispatch(
        'if (waiters !== 0) this.#markDirty',
        'tail.flush()\n      if (waiters !== 0) this.#markDirty',
      ),
    ],
  },
  {
    name: 'workers are woken before their rows are marked',
    scenario: 'log',
    seed: 2,
    edits: [
      dispatch(
        'if (waiters !== 0) this.#markDirty(tail.row, waiters)',
        'this.#wake(waiters)\n      if (waiters !== 0) this.#markDirty(tail.row, waiters)',
      ),
      dispatch('    this.#wake(workers)\n', ''),
    ],
  },
  {
    name: 'dispatch reads the window without a floor',
    scenario: 'log',
    seed: 234,
    edits: [
      dispatch(
        'if (this.#shared.floor.guard(this.#position)) this.#followWindow(visible)',
        'if (this.#shared.floor.guard(this.#position)) {\n        this.#shared.floor.clear()\n        this.#followWindow(visible)\n      }',
      ),
    ],
  },
  {
    name: 'dispatch takes a record that is not visible as a whole',
    scenario: 'log',
    seed: 8,
    edits: [dispatch('if (this.#position + this.#record.length > visible) return\n', '')],
  },
  {
    name: 'dispatch takes a blank record that is not visible as a whole',
    scenario: 'log',
    seed: 2098,
    edits: [
      dispatch(
        'if (kind === RecordKind.BAD || at + this.#record.length > length) break',
        'if (kind === RecordKind.BAD) break',
      ),
    ],
  },
]
