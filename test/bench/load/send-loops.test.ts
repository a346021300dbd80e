import { expect, test } from 'vitest'
import { startNullServer } from '../../../bench/lab/null-server.ts'
import { parseLoadOptions } from '../../../bench/load/options.ts'
import { printReport } from '../../../bench/load/print-report.ts'
import { runLoad, type LoadReport } from '../../../bench/load/run-load.ts'
import type { RemotingCommand } from '../../../src/protocol/remoting-command.ts'
import { fakeBroker, type FakeReply } from './fake-broker.ts'

async function sendToNothing(...args: string[]): Promise<LoadReport> {
  const { server, port } = await startNullServer(0)
  try {
    const place = ['--broker', `127.0.0.1:${port}`, '--no-create']
    return await runLoad(parseLoadOptions([...place, ...args]))
  } finally {
    server.close()
  }
}

/** A broker that keeps count of its messages in one queue; `store` says what it does with a send. */
async function sendTo(store: (stored: number) => number, ...args: string[]): Promise<LoadReport> {
  let stored = 0
  const broker = await fakeBroker(({ code }: RemotingCommand): FakeReply => {
    if (code === 31) return { code: 0, extFields: new Map([['offset', '0']]) }
    if (code === 30) return { code: 0, extFields: new Map([['offset', `${stored}`]]) }
    if (code !== 310) return { code: 0 }
    const answer = store(stored)
    if (answer === 0) stored++
    return { code: answer }
  })
  try {
    const place = ['--broker', broker.address, '--queues', '1', '--in-flight', '4']
    return await runLoad(parseLoadOptions([...place, ...args]))
  } finally {
    broker.close()
  }
}

test.each(['json', 'binary'])('a closed loop with %s headers sends its count', async (header) => {
  const report = await sendToNothing('--header', header, '--count', '1000', '--in-flight', '7')
  expect(report).toMatchObject({ messages: 1000, requests: 1000, failures: [], unanswered: 0 })
  expect(report.times).toMatchObject({ count: 1000 })
})

test('a closed loop spreads over its connections', async () => {
  const report = await sendToNothing('--count', '300', '--connections', '3', '--in-flight', '5')
  expect(report).toMatchObject({ messages: 300, unexpected: 0, unanswered: 0 })
})

test('a batch counts as many messages as it holds', async () => {
  const report = await sendToNothing('--count', '800', '--batch', '16')
  expect(report).toMatchObject({ messages: 800, requests: 50 })
})

test('a body larger than the output buffer arrives', async () => {
  const report = await sendToNothing('--count', '20', '--size', '1000000', '--in-flight', '4')
  expect(report).toMatchObject({ messages: 20, failures: [], unanswered: 0 })
})

test('an open loop sends at its rate and times from the intended moment', async () => {
  const shape = ['--mode', 'open', '--rate', '2000', '--warmup', '0.1', '--duration', '0.5']
  const report = await sendToNothing(...shape)
  expect(report.messages / report.seconds).toBeGreaterThan(200)
  expect(report.messages / report.seconds).toBeLessThan(3000)
  expect(report.times!.avg).toBeGreaterThanOrEqual(report.serviceTimes!.avg)
})

test('acknowledged messages are looked for in the queues', async () => {
  const report = await sendTo(() => 0, '--count', '50')
  expect(report).toMatchObject({ acknowledged: 50, stored: 50 })
})

test('failures are counted by code and are not response times', async () => {
  const report = await sendTo((stored) => (stored < 30 ? 0 : 2), '--count', '50')
  expect(report.failures).toMatchObject([{ code: 2, count: 20 }])
  expect(report).toMatchObject({ messages: 30, acknowledged: 30, stored: 30 })
  expect(report.times?.count).toBe(30)
  expect(printReport(report)).toContain('code 2: 20 times')
})

test('a broker that cannot be reached is named', async () => {
  const options = parseLoadOptions(['--broker', '127.0.0.1:1', '--no-create'])
  await expect(runLoad(options)).rejects.toThrow('127.0.0.1:1')
})

test('options that make no sense are refused with what is allowed', () => {
  expect(() => parseLoadOptions(['--mode', 'fast'])).toThrow('must be closed, open, pull')
  expect(() => parseLoadOptions(['--queues', '0'])).toThrow('whole number from 1 to 1024')
  expect(() => parseLoadOptions(['--rate=-1'])).toThrow('--rate -1: must be a number above 0')
})
