import { execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { EXIT_POISONED } from '../../src/ring/poison.ts'
import type { Breaking } from './breaking-process.ts'

const PROGRAM = fileURLToPath(new URL('./breaking-process.ts', import.meta.url))
/** From the throw to the end of the process. */
const ENDS_WITHIN_MS = 2000
/** Processes at once. */
const BATCH = 3
/** Each run takes other steps; ALL_STEPS=1 takes all. */
const STRIDE = process.env['ALL_STEPS'] === '1' ? 1 : 4

let directory = ''
let pipe = ''

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'ringmq-breaking-'))
  pipe = join(directory, 'pipe')
  execFileSync('mkfifo', [pipe])
})

afterAll(() => rmSync(directory, { recursive: true }))

interface End {
  code: number | null
  signal: string | null
  output: string
  /** From the throw on; NaN without one. */
  ms: number
}

function breakThread(
  breaking: Omit<Breaking, 'pipe' | 'hasStuckWorker'> & Partial<Breaking>,
): Promise<End> {
  const told = JSON.stringify({ pipe, hasStuckWorker: false, ...breaking })
  const child = spawn(process.execPath, [PROGRAM, told])
  let output = ''
  let thrownAt = NaN
  return new Promise((resolve) => {
    child.stderr.on('data', (data) => (output += String(data)))
    child.stdout.on('data', (data) => {
      output += String(data)
      if (Number.isNaN(thrownAt) && output.includes('throws')) thrownAt = performance.now()
    })
    child.on('close', (code, signal) => {
      resolve({ code, signal, output, ms: performance.now() - thrownAt })
    })
  })
}

function expectPoisoned({ code, signal, output, ms }: End): void {
  expect({ code, signal, output }).toMatchObject({ code: EXIT_POISONED, signal: null })
  expect(output).toContain('RingMQ ends, thread 4 failed: Error: broken at')
  expect(ms).toBeLessThan(ENDS_WITHIN_MS)
}

describe('a thread that throws ends the process with code 70', () => {
  test.each(['append', 'write'] as const)(
    'at any atomic operation of: %s, with main at that lock',
    async (work) => {
      let isOver = false
      let thrown = 0
      for (let step = Date.now() % STRIDE; !isOver; step += BATCH * STRIDE) {
        const batch = Array.from({ length: BATCH }, (_, nth) =>
          breakThread({ work, at: step + nth * STRIDE, main: 'waits for the lock' }),
        )
        for (const end of await Promise.all(batch)) {
          if (end.code === 0) isOver = true
          else {
            expectPoisoned(end)
            thrown++
          }
        }
      }
      expect(thrown).toBeGreaterThan(0)
    },
  )

  test.each([
    ['append', 'clock'],
    ['append', 'encode'],
    ['write', 'pwrite'],
  ] as const)('in: %s, %s, with main at that lock or idle', async (work, at) => {
    expectPoisoned(await breakThread({ work, at, main: 'waits for the lock' }))
    expectPoisoned(await breakThread({ work, at, main: 'is idle' }))
  })

  test('with another worker in a system call', async () => {
    const breaking = { work: 'append', at: 'encode', hasStuckWorker: true } as const
    expectPoisoned(await breakThread({ ...breaking, main: 'is idle' }))
    expectPoisoned(await breakThread({ ...breaking, main: 'waits for the lock' }))
  })
})

test('a thread that throws while main is in a system call ends the process by SIGKILL', async () => {
  const end = await breakThread({ work: 'append', at: 'encode', main: 'is in a system call' })
  expect(end.signal).toBe('SIGKILL')
  expect(end.ms).toBeLessThan(ENDS_WITHIN_MS)
})
