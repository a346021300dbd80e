import { edits } from './mutation.ts'
import type { StoreMutation } from './store/store-mutation.ts'

const files = edits('src/store/index-files.ts')
const index = edits('src/store/key-index.ts')

/** What a key needs to be found, once, whatever happened in between. */
export const INDEX_MUTATIONS: readonly StoreMutation[] = [
  {
    name: 'an index file that fills up while another job is under way is the last',
    seed: 21,
    edits: [index('if (this.#isBehind()) return this.#catchUp()', '')],
  },
  {
    name: 'items of the last message are made again',
    seed: 6,
    edits: [
      index(
        'this.#done = countItemsAt(header.endPosition, this.#parts, counts)',
        'void countItemsAt, counts',
      ),
    ],
  },
  {
    name: 'index files are believed after a power failure',
    seed: 180,
    edits: [files('if (trust.kind !== StopKind.UNKNOWN) return true', 'return true')],
  },
]
