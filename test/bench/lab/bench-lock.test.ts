import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { takeBenchLock } from '../../../bench/lab/bench-lock.ts'

let directory: string
let file: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'bench-lock-'))
  file = join(directory, 'lock')
})

afterEach(() => rmSync(directory, { recursive: true }))

test('a second measurement is refused with the process that runs the first', () => {
  takeBenchLock(file)
  expect(() => takeBenchLock(file)).toThrow(`process ${process.pid} is measuring`)
})

test('the lock can be taken again after its release, and nothing is left behind', () => {
  takeBenchLock(file)()
  expect(readdirSync(directory)).toEqual([])
  const release = takeBenchLock(file)
  expect(readdirSync(directory)).toEqual(['lock'])
  release()
})

test('the lock of a process that is gone is taken over', () => {
  const { pid } = spawnSync(process.execPath, ['--version'])
  writeFileSync(file, `${pid} 1`)
  const release = takeBenchLock(file)
  expect(readdirSync(directory)).toEqual(['lock'])
  release()
})

test('a process that got the pid of a dead one does not keep the lock alive', () => {
  writeFileSync(file, `${process.pid} 1`)
  expect(() => takeBenchLock(file)).not.toThrow()
})

test('a lock that somebody else has taken over is not released', () => {
  const release = takeBenchLock(file)
  writeFileSync(file, '1 1')
  release()
  expect(existsSync(file)).toBe(true)
})
