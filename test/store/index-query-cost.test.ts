import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { StoredRecord } from '../../src/store/stored-records.ts'
import { type IndexRig, runningOn, simulated } from '../support/index-rig.ts'

// Keys of one hash: 'Aa' and 'BB'.

const BODY = 'x'.repeat(20_000)
const LARGE = { windowSize: 65_536, logFileSize: 262_144 }

/** Positions that are looked at in the log, in their order. */
function watch(rig: IndexRig): number[] {
  const positions: number[] = []
  const at = rig.records.at.bind(rig.records)
  rig.records.at = (position, sieve) => {
    positions.push(position)
    return at(position, sieve)
  }
  return positions
}

describe('of a message that is not wanted', () => {
  const propertiesOf = ({ bytes, parts: { propertiesAt, propertiesLength } }: StoredRecord) =>
    bytes.toString('utf8', propertiesAt, propertiesAt + propertiesLength)

  test.each(['in the file', 'in the window'])('no body is read (%s)', async (where) => {
    const rig = runningOn(simulated(), LARGE)
    const positions = Array.from({ length: 10 }, () => rig.send('Aa', { body: BODY }))
    const position = positions.at(where === 'in the file' ? 0 : -1)!
    const seen: string[] = []
    const isWanted = (record: StoredRecord) => {
      seen.push(propertiesOf(record))
      return false
    }
    const sieve = { isWanted, bytesRead: 0 }
    expect(await rig.records.at(position, sieve)).toBe(null)
    expect(seen).toEqual(['KEYS\u0001Aa\u0002'])
    expect(sieve.bytesRead).toBeLessThan(5000)
    const wanted = await rig.records.at(position, { isWanted: () => true, bytesRead: 0 })
    expect(wanted).toEqual(await rig.records.at(position))
    expect(wanted!.bytes.length).toBeGreaterThan(BODY.length)
  })
})

test('a damaged message that is wanted is as one that is asked for by its position', async () => {
  const disk = simulated()
  const rig = runningOn(disk)
  const [position] = Array.from({ length: 60 }, () => rig.send('Aa', { body: 'body' }))
  const file = disk.open('/store/commitlog/00000000000000000000')
  const write = (buffer: Buffer, at: number) =>
    disk.pwrite(file, { buffer, offset: 0, length: buffer.length, position: at })
  const whole = disk.readFile('/store/commitlog/00000000000000000000').subarray(0, 256)
  const damage = fc.tuple(fc.nat(120), fc.uint8Array({ minLength: 1, maxLength: 8 }))
  await fc.assert(
    fc.asyncProperty(damage, async ([at, bytes]) => {
      write(whole, 0)
      write(Buffer.from(bytes), at)
      const wanted = await rig.records.at(position!, { isWanted: () => true, bytesRead: 0 })
      expect(wanted).toEqual(await rig.records.at(position!))
    }),
    { numRuns: 500 },
  )
})

describe('a query for a key whose hash others have', () => {
  test('looks once at each message', async () => {
    const rig = runningOn(simulated())
    const positions = Array.from({ length: 5 }, () => rig.send('Aa Aa Aa BB', { unique: 'Aa' }))
    positions.push(...Array.from({ length: 5 }, () => rig.send('Aa Aa Aa', { unique: 'Aa' })))
    const looked = watch(rig)
    expect(await rig.find('BB')).toEqual(positions.slice(0, 5))
    expect(looked).toEqual(positions.toReversed())
  })

  test('ends after a thousand of them, with what was found', async () => {
    const rig = runningOn(simulated(), { format: { slots: 64, items: 2000 } })
    rig.send('BB')
    for (let nth = 0; nth < 1000; nth++) rig.send('Aa')
    const newest = rig.send('BB')
    const looked = watch(rig)
    expect(await rig.find('BB')).toEqual([newest])
    expect(looked.length).toBe(1001)
  })

  test('ends after 32 MiB that were read for them', async () => {
    const rig = runningOn(simulated())
    for (let nth = 0; nth < 20; nth++) rig.send('Aa')
    let looked = 0
    rig.records.at = (_, sieve) => {
      looked++
      sieve!.bytesRead += 4 * 1024 * 1024
      return Promise.resolve(null)
    }
    expect(await rig.find('BB')).toEqual([])
    expect(looked).toBe(8)
  })

  test('lets others have their turns in between', async () => {
    const rig = runningOn(simulated())
    for (let nth = 0; nth < 50; nth++) rig.send('Aa')
    let turns = 0
    let next = setImmediate(function turn() {
      turns++
      next = setImmediate(turn)
    })
    await rig.find('BB')
    clearImmediate(next)
    expect(turns).toBeGreaterThan(25)
  })
})
