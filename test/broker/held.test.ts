import { afterAll, beforeAll, describe } from 'vitest'
import { ServerProcess } from '../support/broker-process.ts'
import { describeHeldPulls } from './held-wakes.ts'
import { describeLateReaders } from './held-late-readers.ts'
import { describeSlowReaders } from './held-slow-readers.ts'

const MIB = 1024 * 1024

describe.each([1, 2, 4])('%i network workers', (networkWorkers) => {
  let broker: ServerProcess
  const started = () => broker
  beforeAll(async () => {
    const sizes = { maxMessageSize: MIB, logWindowSize: 4 * MIB, mappedFileSizeCommitLog: 8 * MIB }
    broker = await ServerProcess.startBroker({ ...sizes, networkWorkers })
  })
  afterAll(() => broker.dispose())

  describe('a held pull', () => describeHeldPulls(started))
  describe('a slow reader', () => describeSlowReaders(started))
  describe('late readers', () => describeLateReaders(started))
})
