import { expect, test } from 'vitest'
import { parseModule } from './step-source.ts'
import { transformModules } from './step-transform.ts'

function bodyOf(source: string, path = 'src/ring/it.ts'): string {
  const { modules } = transformModules([parseModule({ path, source })], [])
  return modules[0]!.body
}

test('every touch of shared words is a step of its own', () => {
  const body = bodyOf(`
export function move(words: Int32Array, at: number): void {
  if (words[at] !== 1) Atomics.store(words, at, 1)
}
`)
  expect(body).toContain('function* move(')
  expect(body).toContain('(yield 0, words[at]) !== 1')
  expect(body).toContain('(yield 1, Atomics.store(words, at, 1));')
  expect(body).toContain('return { move }')
})

test('callers of what touches shared memory are followed, others stay plain', () => {
  const body = bodyOf(`
class Box {
  open(): number { return this.#look() }
  #look(): number { return Atomics.load(this.#words, 0) }
  name(): string { return 'box' }
}
`)
  expect(body).toContain('*open()')
  expect(body).toContain('return ($s.isSteps($ = this.#look()) ? yield* $ : $);')
  expect(body).toContain(' name()')
  expect(body).not.toContain('*name()')
})

test('an async function becomes steps, and awaiting is waiting', () => {
  const body = bodyOf(`
export async function doze(words: Int32Array): Promise<void> {
  const wait = Atomics.waitAsync(words, 0, 0)
  if (wait.async) await wait.value
}
`)
  expect(body).toContain('function* doze(')
  expect(body).toContain('(yield* $s.waitAsync(0, words, 0, 0))')
  expect(body).toContain('(yield* $s.settled(wait.value))')
})

test('what cannot be stepped is refused, not passed over', () => {
  expect(() =>
    bodyOf('export function all(w: Int32Array) { return [1].map((at) => Atomics.load(w, at)) }'),
  ).toThrow('a step in an arrow function')
  expect(() =>
    bodyOf('export function two(w: Int32Array) { Atomics.store(w, 0, Atomics.load(w, 1)) }'),
  ).toThrow('two touches in one step')
})
