import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { JournalError, MetadataJournal } from '../../src/broker/metadata-journal.ts'
import { failSync } from './failing-sync.ts'
import { tempFolder } from '../support/temp-folder.ts'

function journalPath(): string {
  return join(tempFolder(), 'config', 'ringmq-metadata.journal')
}

async function textsIn(path: string): Promise<string[]> {
  const { journal, texts } = await MetadataJournal.open(path)
  await journal.close()
  return texts
}

async function written(path: string, texts: string[]): Promise<Buffer> {
  const { journal } = await MetadataJournal.open(path)
  await Promise.all(texts.map((text) => journal.append(text)))
  await journal.close()
  return readFileSync(path)
}

describe('the metadata journal', () => {
  test('gives back what was appended, in order', async () => {
    const path = journalPath()
    await written(path, ['{"a":1}', '{"b":"über"}', '{"c":"\\n"}'])
    expect(await textsIn(path)).toEqual(['{"a":1}', '{"b":"über"}', '{"c":"\\n"}'])
  })

  test('goes on behind what a run before left', async () => {
    const path = journalPath()
    await written(path, ['{"a":1}'])
    await written(path, ['{"a":2}'])
    expect(await textsIn(path)).toEqual(['{"a":1}', '{"a":2}'])
  })

  test('torn at any byte gives back the whole lines before it', async () => {
    const path = journalPath()
    const bytes = await written(path, ['{"a":1}', '{"a":22}'])
    const firstLine = bytes.indexOf('\n') + 1
    for (let length = 0; length < bytes.length; length++) {
      writeFileSync(path, bytes.subarray(0, length))
      expect(await textsIn(path)).toEqual(length < firstLine ? [] : ['{"a":1}'])
    }
  })

  test('with a changed byte gives back the lines before it', async () => {
    const path = journalPath()
    const bytes = await written(path, ['{"a":1}', '{"a":2}', '{"a":3}'])
    bytes[bytes.indexOf('2')]! ^= 1
    writeFileSync(path, bytes)
    expect(await textsIn(path)).toEqual(['{"a":1}'])
  })

  test('cuts off a torn tail, so that it cannot come back behind a shorter line', async () => {
    const path = journalPath()
    const bytes = await written(path, ['{"a":1}', '{"a":2}'])
    writeFileSync(path, bytes.subarray(0, -1))
    await written(path, ['{}'])
    expect(await textsIn(path)).toEqual(['{"a":1}', '{}'])
  })

  test('is empty after it was cleared', async () => {
    const path = journalPath()
    const { journal } = await MetadataJournal.open(path)
    await journal.append('{"a":1}')
    expect(await journal.clear(journal.length)).toBe(true)
    await journal.append('{"a":2}')
    await journal.close()
    expect(await textsIn(path)).toEqual(['{"a":2}'])
  })

  test('is not cleared when a change has come meanwhile', async () => {
    const path = journalPath()
    const { journal } = await MetadataJournal.open(path)
    await journal.append('{"a":1}')
    const { length } = journal
    await journal.append('{"a":2}')
    expect(await journal.clear(length)).toBe(false)
    await journal.close()
    expect(await textsIn(path)).toEqual(['{"a":1}', '{"a":2}'])
  })

  test('takes nothing after a failed sync, even when the next would go well, until it was cleared', async () => {
    const path = journalPath()
    const { journal } = await MetadataJournal.open(path)
    await journal.append('{"a":1}')
    const heal = await failSync(join(path, '..'))
    await expect(journal.append('{"a":2}')).rejects.toThrow(JournalError)
    heal()
    await expect(journal.append('{"a":3}')).rejects.toThrow(/ringmq-metadata.journal: EIO/)
    expect(await journal.clear(journal.length)).toBe(true)
    await journal.append('{"a":4}')
    await journal.close()
    expect(await textsIn(path)).toEqual(['{"a":4}'])
  })
})
