import { parseArgs } from 'node:util'
import { expect, test } from 'vitest'
import { parseSides, SESSION_SPEC, sessionOptions } from '../../bench/session-options.ts'
import type { SessionOptions } from '../../bench/session.ts'

function options(...args: string[]): SessionOptions {
  return sessionOptions(parseArgs({ args, options: SESSION_SPEC, strict: true }).values)
}

test('all regimes run by default, in one order', () => {
  const names = options().regimes.map(({ name }) => name)
  expect(names).toEqual([
    'send',
    'send-json',
    'one',
    'batch',
    'open',
    'transaction',
    'java',
    'backlog',
    'pop',
    'idle',
  ])
})

test('regimes that are named run in the same order', () => {
  const names = options('--regimes', 'idle,send').regimes.map(({ name }) => name)
  expect(names).toEqual(['send', 'idle'])
})

test('a regime that does not exist is refused with those that do', () => {
  expect(() => options('--regimes', 'sned')).toThrow('no regime sned: there are send, send-json')
})

test('broker settings are passed on', () => {
  const { settings } = options('--set', 'flushDiskType=SYNC_FLUSH', '--set', 'a=b=c')
  expect(settings).toEqual({ flushDiskType: 'SYNC_FLUSH', a: 'b=c' })
  expect(() => options('--set', 'flushDiskType')).toThrow('must be key=value')
})

test('a number that is none is refused', () => {
  expect(() => options('--measure', 'long')).toThrow('--measure long: must be a number')
})

test('sides are two, the reference first, and may be another checkout', () => {
  const [reference, subject] = parseSides('apache,ringmq:/elsewhere')
  expect(reference.kind).toBe('apache')
  expect(subject).toMatchObject({ kind: 'ringmq', root: '/elsewhere' })
  expect(() => parseSides('apache')).toThrow('must be two of')
  expect(() => parseSides('apache,kafka')).toThrow("'kafka': must be apache")
})
