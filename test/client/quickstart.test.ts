import { execFile } from 'node:child_process'
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { FakeCluster } from './fake-cluster.ts'

const bin = fileURLToPath(new URL('../../bin/', import.meta.url))
const EXAMPLES = 'org.apache.rocketmq.example.quickstart'

let folder: string
let cluster: FakeCluster

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ringmq-'))
  cluster = await FakeCluster.start()
  cluster.topics.set('TopicTest', 4)
})

afterEach(async () => {
  await cluster.close()
  await rm(folder, { recursive: true })
})

interface Ended {
  code: number | string | null
  stdout: string
  stderr: string
}

/** Stops the program when it has printed so many lines. */
function run(command: string[], cwd: string, linesMax = Infinity): Promise<Ended> {
  const env = { ...process.env, NAMESRV_ADDR: cluster.address }
  return new Promise((resolve) => {
    const child = execFile(command[0]!, command.slice(1), { cwd, env }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? child.exitCode, stdout, stderr }),
    )
    let lineCount = 0
    child.stdout!.on('data', (text: string) => {
      lineCount += text.split('\n').length - 1
      if (lineCount >= linesMax) child.kill()
    })
  })
}

test('an unknown class is an error that lists the known ones', async () => {
  const { code, stderr } = await run(['sh', 'tools.sh', 'org.example.Missing'], bin)
  expect(code).toBe(1)
  expect(stderr).toContain('org.example.Missing')
  expect(stderr).toContain(`${EXAMPLES}.Producer\n`)
  expect(stderr).toContain(`${EXAMPLES}.Consumer\n`)
})

test('the producer sends 1000 messages and prints a line for each', async () => {
  await symlink(join(bin, 'tools.sh'), join(folder, 'tools.sh'))
  const { code, stdout } = await run(['sh', './tools.sh', `${EXAMPLES}.Producer`], folder)
  expect(code).toBe(0)
  const lines = stdout.trimEnd().split('\n')
  expect(lines).toHaveLength(1000)
  expect(lines[999]).toMatch(/^SendResult \[sendStatus=SEND_OK, msgId=.*, recallHandle=null\]$/)
  expect(cluster.messages[7]!.body.toString()).toBe('Hello RocketMQ 7')
  expect(cluster.messages[7]!.properties.get('TAGS')).toBe('TagA')
})

test('the consumer prints what it receives until it is stopped', async () => {
  for (let i = 0; i < 10; i++) cluster.append('TopicTest', i % 4, `Hello RocketMQ ${i}`)
  const command = [join(bin, 'tools.sh'), `${EXAMPLES}.Consumer`]
  const { code, stdout } = await run(command, folder, 11)
  expect(code).toBe(143) // SIGTERM, after a clean close
  const lines = stdout.trimEnd().split('\n')
  expect(lines[0]).toBe('Consumer Started.')
  expect(lines.slice(1)).toHaveLength(10)
  expect(lines[1]).toMatch(
    /^ConsumeMessageThread_please_rename_unique_group_name_4_\d+ Receive New Messages: \[MessageExt \[.*\]\] ?$/,
  )
  expect([...cluster.committed.values()]).toEqual([3, 3, 2, 2])
  expect(cluster.requests.at(-1)).toBe('UNREGISTER_CLIENT')
})
