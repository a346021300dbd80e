import { readUnit, UNIT_LENGTH, type Unit } from '../../../src/store/consume-queue.ts'
import type { QueueState } from '../../../src/store/queue-recovery.ts'
import type { Recovered } from '../../../src/store/recovery.ts'
import { PRE_BLANK_LENGTH } from '../../../src/store/consume-queue.ts'
import { expect, type StoredRecord } from './store-ledger.ts'
import { BODY_AT, QUEUES, tagsCodeOf, tailAt } from './store-sources.ts'
import type { StoreWorld } from './store-world.ts'

/**
 * What must hold when a recovery has ended:
 *
 * - everything that anybody was told of is there, in the log and at its place in its queue, unchanged
 * - what nobody was told of is there as it was appended, or not at all; but its topic and properties,
 *   which are under no checksum, may be torn
 * - the log ends with a record; behind it there are zeros
 * - at its front it begins where retention has come to, or before
 * - a queue has the entries of its messages, dense, in the order of the log, and no other one
 */
export function checkRecovered(world: StoreWorld, recovered: Recovered): void {
  const { ledger } = world
  const { minPosition, end, damaged, queues } = recovered
  expect(damaged === 0, `${damaged} bytes are said to be damaged`)
  expect(end >= ledger.kept, `the log ends at ${end}, ${ledger.kept} was promised`)
  const { deleted } = ledger
  expect(minPosition <= deleted, `the log begins at ${minPosition}, and ${deleted} was to stay`)
  ledger.forgetBelow(minPosition)
  for (const record of ledger.records) {
    if (record.position >= end) break
    expect(record.end <= end, `the log ends at ${end}, in the record at ${record.position}`)
    checkRecord(world, record)
  }
  ledger.cut(end)
  checkEnd(world, end)
  for (const row of QUEUES.keys()) checkQueue(world, row, stateOf(queues, row))
  const known = queues.filter(({ next }) => next > 0).length
  const used = QUEUES.filter((_, row) => (stateOf(queues, row)?.next ?? 0) > 0).length
  const mayBeTorn =
    world.disk.mayFlip || ledger.isTorn || ledger.records.some((each) => each.isTorn)
  expect(known === used || mayBeTorn, 'a queue came into being that nobody wrote to')
}

function stateOf(queues: readonly QueueState[], row: number): QueueState | undefined {
  const { topic, queueId } = QUEUES[row]!
  return queues.find((state) => state.topic === topic && state.queueId === queueId)
}

function checkRecord(world: StoreWorld, record: StoredRecord): void {
  const found = world.logBytes(record.position, record.end)
  if (found.equals(record.bytes)) return
  const { isTorn, kept } = world.ledger
  expect(record.end > kept, `the record at ${record.position} has changed`)
  const tail = tailAt(record)
  const isHeadRight = record.bytes.subarray(0, tail).equals(found.subarray(0, tail))
  const mayDiffer = isTorn && world.disk.mayFlip
  expect(isHeadRight || mayDiffer, `the record at ${record.position} is a mixture`)
  const isBodyRight = bodyOf(record.bytes).equals(found.subarray(BODY_AT, tail))
  expect(isBodyRight, `the record at ${record.position} has a body that nobody sent`)
  record.bytes = found
  record.isTorn = true
}

function bodyOf(bytes: Buffer): Buffer {
  return bytes.subarray(BODY_AT, tailAt({ bytes }))
}

function checkEnd(world: StoreWorld, end: number): void {
  const { fileSize } = world.sizes
  const last = world.ledger.records.at(-1)?.end ?? world.ledger.deleted
  const isFileEnd = end % fileSize === 0 && end - last <= fileSize
  const isRight = end === last || (isFileEnd && end > last) || world.disk.mayFlip
  expect(isRight, `the log ends at ${end}, its last record at ${last}`)
  const fileEnd = Math.ceil(end / fileSize) * fileSize
  if (fileEnd === end || !world.hasFile(end)) return
  const isZero = world.logBytes(end, fileEnd).every((byte) => byte === 0)
  expect(isZero, `behind the end ${end} of the log stands something`)
}

function checkQueue(world: StoreWorld, row: number, state: QueueState | undefined): void {
  const expected = world.ledger.queues[row]!
  const next = state?.next ?? 0
  while (expected.length > next && isGone(expected.at(-1)!)) expected.pop()
  const mayBeMore = world.ledger.isTorn && world.disk.mayFlip
  const isDense = next === expected.length || (mayBeMore && next > expected.length)
  expect(isDense, `queue ${row} has ${next} entries for ${expected.length} messages`)
  const min = state?.min ?? 0
  const below = expected.slice(0, min).filter((record) => !isGone(record))
  expect(below.length === 0, `queue ${row} begins at ${min}, and has ${below.length} more`)
  expected.fill(null, 0, min)
  for (let offset = min; offset < next; offset++) {
    const record = expected[offset] ?? null
    const isHidden = mayBeMore && record !== null && record.end > world.ledger.kept
    expected[offset] = checkUnit(unitAt(state!, offset), record, { row, isHidden })
  }
}

function isGone(record: StoredRecord | null): boolean {
  return record === null || record.isTorn
}

/** `isHidden`: a wrong bit may have given its offset to another. Returns what stands there from now on. */
function checkUnit(
  unit: Unit,
  record: StoredRecord | null,
  { row, isHidden }: { row: number; isHidden: boolean },
): StoredRecord | null {
  if (record === null) {
    // A wrong bit has made a gap: nothing, or the message with that bit.
    return null
  }
  if (record.isTorn && unit.length === PRE_BLANK_LENGTH) return null
  const isSame = unit.position === record.position && unit.length === record.end - record.position
  const isTagged = unit.tagsCode === tagsCodeOf(row) || record.isTorn
  const isRight = (isSame && isTagged) || record.isTorn || isHidden
  expect(isRight, `entry ${record.offset} of queue ${row} is ${JSON.stringify(unit)}`)
  return isSame ? record : null
}

function unitAt({ queue }: QueueState, offset: number): Unit {
  const bytes = Buffer.alloc(UNIT_LENGTH)
  const unit = { position: -1, length: -1, tagsCode: -1 }
  if (queue.read(offset, 1, bytes) === 1) {
    readUnit(unit, new DataView(bytes.buffer, bytes.byteOffset), 0)
  }
  return unit
}
