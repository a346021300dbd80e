import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { JOURNAL_NAME, MetadataFiles, type NewChange } from '../../src/broker/metadata-files.ts'
import { MemoryLog } from './memory-log.ts'
import { tempFolder } from '../support/temp-folder.ts'

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

/** A table of numbers, kept like topics are. */
class Counters {
  readonly values = new Map<string, unknown>()
  readonly #files: MetadataFiles
  #version = { counter: 0, stateVersion: 0, timestamp: 1000 }

  constructor(files: MetadataFiles) {
    this.#files = files
  }

  async load(): Promise<void> {
    const { json, changes } = await this.#files.load('counters', () => this.#toText())
    for (const [name, value] of (json?.get('table') as Map<string, unknown>) ?? []) {
      this.values.set(name, value)
    }
    for (const { name, value, version } of changes) {
      if (value === null) this.values.delete(name)
      else this.values.set(name, value)
      this.#version = version
    }
  }

  set(name: string, value: number | null): Promise<void> {
    if (value === null) this.values.delete(name)
    else this.values.set(name, value)
    return this.#files.record('counters', this.#change(name, value))
  }

  #change(name: string, value: number | null): NewChange {
    const { counter, timestamp } = this.#version
    this.#version = { counter: counter + 1, stateVersion: 0, timestamp: timestamp + 1 }
    return { name, value: String(value), version: this.#version }
  }

  #toText(): string {
    const table = Object.fromEntries(this.values)
    return JSON.stringify({ dataVersion: this.#version, table })
  }
}

async function open(folder: string, log = new MemoryLog()) {
  const files = await MetadataFiles.open(folder, log)
  let closing: Promise<void> | null = null
  const close = (): Promise<void> => (closing ??= files.close())
  onTestFinished(close)
  const counters = new Counters(files)
  await counters.load()
  return { close, counters, log }
}

function jsonIn(folder: string): unknown {
  return JSON.parse(readFileSync(join(folder, 'counters.json'), 'utf8'))
}

function journalSize(folder: string): number {
  return statSync(join(folder, JOURNAL_NAME)).size
}

describe('metadata files', () => {
  test('give a change back after a crash right behind its answer', async () => {
    const folder = tempFolder()
    const { counters } = await open(folder)
    await counters.set('a', 1)
    await counters.set('b', 2)
    await counters.set('a', null)
    const { counters: again } = await open(folder) // the first one is never closed
    expect(again.values).toEqual(new Map([['b', 2]]))
  })

  test('hold the changes in the JSON a moment later, and empty the journal', async () => {
    const folder = tempFolder()
    const { counters, close } = await open(folder)
    await counters.set('a', 1)
    expect(journalSize(folder)).toBeGreaterThan(0)
    await vi.advanceTimersByTimeAsync(1000)
    await close()
    expect(jsonIn(folder)).toMatchObject({ table: { a: 1 } })
    expect(journalSize(folder)).toBe(0)
  })

  test('have no timer while nothing changes', async () => {
    const { close, counters } = await open(tempFolder())
    await counters.set('a', 1)
    await close()
    expect(vi.getTimerCount()).toBe(0)
  })

  test('hold everything in the JSON after a stop', async () => {
    const folder = tempFolder()
    const { counters, close } = await open(folder)
    await counters.set('a', 1)
    await close()
    expect(jsonIn(folder)).toMatchObject({ table: { a: 1 } })
    expect(journalSize(folder)).toBe(0)
  })

  test('keep the journal when the JSON cannot be written, say so once, and try again', async () => {
    const folder = tempFolder()
    const { counters, close, log } = await open(folder)
    mkdirSync(join(folder, 'counters.json.tmp')) // opening it for writing fails
    await counters.set('a', 1)
    await vi.advanceTimersByTimeAsync(1000)
    await vi.waitUntil(() => log.lines.length > 0)
    expect(log.lines).toEqual([expect.stringContaining('error metadata cannot be written')])
    expect(journalSize(folder)).toBeGreaterThan(0)
    rmSync(join(folder, 'counters.json.tmp'), { recursive: true })
    await vi.advanceTimersByTimeAsync(5000)
    await vi.waitUntil(() => existsSync(join(folder, 'counters.json')))
    await close()
    expect(jsonIn(folder)).toMatchObject({ table: { a: 1 } })
    expect(log.lines).toHaveLength(2)
  })

  test('leave out changes that the JSON has already', async () => {
    const folder = tempFolder()
    const { counters } = await open(folder)
    await counters.set('a', 1)
    const version = { counter: 1, stateVersion: 0, timestamp: 1001 }
    const json = JSON.stringify({ dataVersion: version, table: { a: 5 } })
    writeFileSync(join(folder, 'counters.json'), json)
    expect((await open(folder)).counters.values).toEqual(new Map([['a', 5]]))
  })

  test('leave out old changes when another broker has written the JSON since', async () => {
    const folder = tempFolder()
    const { counters } = await open(folder)
    await counters.set('a', 1)
    const version = { counter: 0, stateVersion: 0, timestamp: 9999 }
    const json = JSON.stringify({ dataVersion: version, table: {} })
    writeFileSync(join(folder, 'counters.json'), json)
    expect((await open(folder)).counters.values).toEqual(new Map())
  })
})
