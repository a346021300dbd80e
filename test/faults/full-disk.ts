/**
 * A broker on a disk that is really full: sends are refused with the cause and taken again by themselves,
 * nothing that was answered is lost, not by a kill -9 either, and deletion keeps a small disk usable.
 *
 *    node test/faults/full-disk.ts [--out FILE]
 */
import { closeSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { GetMinOffset } from '../../src/protocol/requests/offset.ts'
import { SendMessageV2 } from '../../src/protocol/requests/send.ts'
import { ResponseCode } from '../../src/protocol/response-code.ts'
import { ServerProcess, type Settings } from '../support/broker-process.ts'
import { createTopic, maxOffset, readQueue, sendHeader } from '../support/messages.ts'
import type { RawClient } from '../support/raw-client.ts'
import { FaultRecord } from './fault-record.ts'
import { hasTools, run } from './tools.ts'

const MIB = 1024 * 1024
const DISK = 64 * MIB
const TOPIC = 'Full'
const BODY = 16_000
/** A disk is full when so many sends in a row were refused. */
const REFUSED_ROW = 20
const TRIES = 20_000

const { values } = parseArgs({
  options: { out: { type: 'string', default: FaultRecord.pathOf('full-disk') } },
})
if (!hasTools('full disk', ['mount', 'umount'])) process.exit()

/** A tmpfs of DISK bytes, part of which somebody else has taken. */
class SmallDisk {
  readonly folder = mkdtempSync(join(tmpdir(), 'ringmq-full-'))
  readonly #ballast = join(this.folder, 'ballast')

  constructor() {
    run('mount', ['-t', 'tmpfs', '-o', `size=${DISK}`, 'ringmq-full', this.folder])
  }

  /** Takes so many bytes, less when there are not so many. */
  fill(bytes: number): void {
    const descriptor = openSync(this.#ballast, 'a')
    const chunk = Buffer.alloc(64 * 1024, 'x')
    try {
      for (let left = bytes; left > 0; left -= chunk.length) writeSync(descriptor, chunk)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
    } finally {
      closeSync(descriptor)
    }
  }

  empty(): void {
    rmSync(this.#ballast, { force: true })
  }

  percent(): number {
    const { blocks, bfree } = statfsSync(this.folder)
    return Math.ceil(((blocks - bfree) * 100) / blocks)
  }

  remove(): void {
    run('umount', ['-l', this.folder])
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** One broker on a small disk, and what it has promised. */
class Patient {
  readonly disk = new SmallDisk()
  readonly #settings: Settings
  /** By queue offset, the number that the body begins with. */
  readonly #promised = new Map<number, number>()
  broker!: ServerProcess
  client!: RawClient
  sent = 0
  refused = 0
  remark = ''

  constructor(settings: Settings) {
    this.#settings = {
      mappedFileSizeCommitLog: 4 * MIB,
      mappedFileSizeConsumeQueue: 4000,
      ...settings,
    }
  }

  async start(): Promise<void> {
    const limits = { maxMessageSize: MIB, logWindowSize: 2 * MIB, maxQueues: 4096 }
    const settings = { ...limits, ...this.#settings }
    this.broker = await ServerProcess.startBroker(settings, this.disk.folder)
    this.client = await this.broker.connect()
    await createTopic(this.client, TOPIC)
  }

  /** One send; true when it was answered OK. */
  async send(): Promise<boolean> {
    const text = `${++this.sent} `.padEnd(BODY, 'b')
    const options = { body: Buffer.from(text) }
    const { code, remark, reply } = await this.client.ask(SendMessageV2, sendHeader(TOPIC), options)
    if (code === ResponseCode.SUCCESS) {
      this.#promised.set(reply.queueOffset!, this.sent)
      return true
    }
    this.refused++
    this.remark = remark ?? ''
    return false
  }

  async sendUntilFull(): Promise<void> {
    for (let row = 0; row < REFUSED_ROW;) row = (await this.send()) ? 0 : row + 1
  }

  /** How many sends it took until one was taken. */
  async sendUntilTaken(): Promise<number> {
    for (let tries = 1; tries < TRIES; tries++) {
      if (await this.send()) return tries
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    throw new Error(`sends are refused for ever: ${this.remark}`)
  }

  /** Promised messages that are missing or not what was sent, of those that were not deleted. */
  async lost(): Promise<number> {
    for (;;) {
      const { reply } = await this.client.ask(GetMinOffset, { topic: TOPIC, queueId: 0 })
      const lost = await this.#lostFrom(reply.offset!).catch((error: Error) => error)
      if (typeof lost === 'number') return lost
      if (!lost.message.includes('OFFSET_TOO_SMALL')) throw lost // else more was deleted meanwhile
    }
  }

  async #lostFrom(from: number): Promise<number> {
    const end = await maxOffset(this.client, TOPIC, 0)
    const found = new Map<number, number>()
    for (const { queueOffset, body } of await readQueue(this.client, TOPIC, { from, end })) {
      found.set(queueOffset, Number.parseInt(Buffer.from(body).toString('latin1', 0, 20)))
    }
    const left = [...this.#promised].filter(([offset]) => offset >= from)
    return left.filter(([offset, number]) => found.get(offset) !== number).length
  }

  async end(): Promise<void> {
    if (this.broker.isRunning) await this.broker.kill()
    this.disk.remove()
  }
}

interface Finding {
  what: string
  sent: number
  refused: number
  lost: number
  isFine: boolean
  remark: string
}

/** As it is without a configuration, but in a hurry. */
const WATCHFUL = {
  cleanFileForciblyEnable: true,
  diskSpaceWarningLevelRatio: 90,
  cleanResourceInterval: 1000,
}
const KEEP = { cleanFileForciblyEnable: false, diskSpaceWarningLevelRatio: 100 }

async function refusesAndGoesOn(flushDiskType: string): Promise<Finding> {
  const patient = new Patient({ ...KEEP, flushDiskType })
  try {
    await patient.start()
    patient.disk.fill(16 * MIB)
    await patient.sendUntilFull()
    const isTold =
      patient.remark.includes("the broker's disk is full") && patient.disk.percent() > 95
    patient.disk.empty()
    await patient.sendUntilTaken()
    const lost = await patient.lost()
    patient.disk.fill(16 * MIB)
    await patient.sendUntilFull()
    await patient.broker.kill()
    patient.disk.empty()
    await patient.start()
    await patient.sendUntilTaken()
    return finding(
      `${flushDiskType}: full, space again, full, kill -9`,
      patient,
      lost + (await patient.lost()),
      isTold,
    )
  } finally {
    await patient.end()
  }
}

async function deletesInTime(): Promise<Finding> {
  const patient = new Patient(WATCHFUL)
  try {
    await patient.start()
    let fullest = 0
    while (patient.sent < 15_000) {
      await patient.sendUntilTaken()
      if (patient.sent % 100 === 0) fullest = Math.max(fullest, patient.disk.percent())
    }
    const lost = await patient.lost()
    const what = `four times the disk is sent; fullest ${fullest} %`
    return finding(what, patient, lost, fullest < 99)
  } finally {
    await patient.end()
  }
}

async function warnsInTime(): Promise<Finding> {
  const patient = new Patient(WATCHFUL)
  try {
    await patient.start()
    await patient.send()
    patient.disk.fill((DISK * 92) / 100)
    for (let tries = 0; tries < TRIES && (await patient.send()); tries++) {
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    const isTold = patient.remark.includes('diskSpaceWarningLevelRatio=90')
    patient.disk.empty()
    await patient.sendUntilTaken()
    const lost = await patient.lost()
    return finding('somebody else fills the disk to 92 %', patient, lost, isTold)
  } finally {
    await patient.end()
  }
}

function finding(
  what: string,
  { sent, refused, remark }: Patient,
  lost: number,
  isFine: boolean,
): Finding {
  return { what, sent, refused, lost, isFine: isFine && lost === 0, remark }
}

const record = new FaultRecord(values.out, 'What does a broker do on a disk that is full?')
const findings: Finding[] = []
const attempts = [
  () => refusesAndGoesOn('ASYNC_FLUSH'),
  () => refusesAndGoesOn('SYNC_FLUSH'),
  deletesInTime,
  warnsInTime,
]
for (const attempt of attempts) {
  const found = await attempt()
  const { what, sent, refused, lost, isFine } = found
  findings.push(found)
  console.log(`${isFine ? 'ok ' : 'BAD'} ${what}: ${sent} sent, ${refused} refused, ${lost} lost`)
}
record.write({ findings })
record.say('full disk', findings.filter(({ isFine }) => !isFine).length)
