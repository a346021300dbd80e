import fc from 'fast-check'
import { expect, test } from 'vitest'
import { OpenHalves } from '../../src/broker/open-halves.ts'

type Step = { kind: 'grow' | 'claim' | 'end' | 'reopen'; offset: number }

const steps = fc.array(
  fc.record({
    kind: fc.constantFrom<Step['kind']>('grow', 'claim', 'end', 'reopen'),
    offset: fc.nat(12),
  }),
  { maxLength: 60 },
)

/** What each offset is, in the plainest way. */
class Model {
  readonly states: ('open' | 'ending' | 'ended')[] = Array(13).fill('open')
  seen = 0

  claim(offset: number): boolean {
    if (this.states[offset] !== 'open' || offset >= this.seen) return false
    this.states[offset] = 'ending'
    return true
  }

  get lowest(): number {
    const first = this.states.findIndex((state, offset) => state !== 'ended' && offset < this.seen)
    return first === -1 ? this.seen : first
  }
}

test('each half is ended once, and holds up the progress until then', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const model = new Model()
      const halves = new OpenHalves(0)
      for (const { kind, offset } of all) {
        const isClaimed = model.states[offset] === 'ending'
        if (kind === 'grow') {
          model.seen = Math.max(model.seen, offset)
          halves.extend(offset)
        } else if (kind === 'claim') expect(halves.claim(offset)).toBe(model.claim(offset))
        else if (isClaimed) {
          // Only who has claimed it says one of these.
          model.states[offset] = kind === 'end' ? 'ended' : 'open'
          if (kind === 'end') halves.ended(offset)
          else halves.reopen(offset)
        }
        const open = model.states.flatMap((state, at) =>
          state !== 'ended' && at < model.seen ? [at] : [],
        )
        expect([...halves].map((half) => half.offset)).toEqual(open)
        for (const half of halves) {
          expect(half.isEnding).toBe(model.states[half.offset] === 'ending')
        }
        expect(halves.lowest).toBe(model.lowest) // nothing that is not stored lies below it
      }
    }),
    { numRuns: 2000 },
  )
})

test("what lies below the first message there is, is nobody's any more", () => {
  const halves = new OpenHalves(0)
  halves.extend(5)
  halves.claim(1)
  halves.dropBelow(3)
  expect([...halves].map(({ offset }) => offset)).toEqual([1, 3, 4])
})
