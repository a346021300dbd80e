import { repeated, type MicroSuite } from './suite.ts'

/** What the shared words cost when nobody else touches them. `notify` takes a process-wide lock. */
export function atomics(): MicroSuite {
  const words = new Int32Array(new SharedArrayBuffer(256))
  const plain = new Int32Array(64)
  const cases = [
    repeated('plain read', (n) => plain[n & 63]!),
    repeated('plain read, shared', (n) => words[n & 63]!),
    repeated('load', (n) => Atomics.load(words, n & 63)),
    repeated('store', (n) => Atomics.store(words, 1, n)),
    repeated('add', () => Atomics.add(words, 2, 1)),
    repeated('exchange', (n) => Atomics.exchange(words, 3, n)),
    repeated('compareExchange, taken and freed', () => {
      Atomics.compareExchange(words, 4, 0, 1)
      return Atomics.store(words, 4, 0)
    }),
    repeated('notify, nobody waits', () => Atomics.notify(words, 5)),
  ]
  return { name: 'atomics', question: 'one operation on a shared word', cases }
}
