import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { PassThrough, pipeline, Readable } from 'node:stream'
import { expect, onTestFinished, test } from 'vitest'
import { loadAll } from '../../src/mqadmin/commands.ts'
import { runMqadmin } from '../../src/mqadmin/run.ts'
import { completions } from '../../src/mqadmin/shell.ts'
import { useCluster } from './open-cluster.ts'

const cluster = useCluster()

interface Said {
  code: number
  stdout: string
  stderr: string
}

/** `lines` through a pipe. */
function shell(lines: readonly string[], words: readonly string[] = []): Promise<Said> {
  return said(['shell', ...words], { input: Readable.from(`${lines.join('\n')}\n`) })
}

async function said(words: string[], { input }: { input: Readable }): Promise<Said> {
  const result: Said = { code: -1, stdout: '', stderr: '' }
  result.code = await runMqadmin(words, {
    environment: { NAMESRV_ADDR: cluster.current.namesrv.address },
    stdout: (text) => (result.stdout += text),
    stderr: (text) => (result.stderr += text),
    stopped: new AbortController().signal,
    shell: { input, output: new PassThrough(), isTerminal: false },
  })
  return result
}

test('lines are run one after the other, as outside', async () => {
  const lines = [
    'mqadmin updateKvConfig -s NS -k "a key" -v \'two words\'',
    '',
    '# nothing',
    'deleteKvConfig -s NS -k "a key"',
    'EXIT',
    'nosuchcommand',
  ]
  expect(await shell(lines)).toEqual({
    code: 0,
    stdout:
      'create or update kv config to namespace success.\ndelete kv config from namespace success.\n',
    stderr: '',
  })
})

test('a line that fails is told, the others are run, and the end is 1', async () => {
  const { code, stdout, stderr } = await shell([
    "topicRoute -t 'Open",
    'topicRoute -t Nowhere',
    'topicClusterList -t TBW102',
  ])
  expect([code, stdout]).toEqual([1, 'DefaultCluster\n'])
  expect(stderr).toMatch(/^mqadmin shell: a ' is not closed\nmqadmin topicRoute: .*Nowhere.*\n$/)
})

test('its lines share one connection to a name server', async () => {
  const [, port] = cluster.current.namesrv.address.split(':')
  let connections = 0
  const relay = createServer((socket) => {
    connections++
    const onward = connect(Number(port), '127.0.0.1')
    pipeline(socket, onward, socket, () => {})
  }).listen(0, '127.0.0.1')
  onTestFinished(() => void relay.close())
  await once(relay, 'listening')
  const address = `127.0.0.1:${(relay.address() as AddressInfo).port}`
  const { stdout } = await shell(['topicList --json', 'topicList --json'], ['-n', address])
  expect([stdout.trimEnd().split('\n').length, connections]).toEqual([2, 1])
})

test('-n counts for every line', async () => {
  const { code, stderr } = await shell(['clusterList'], ['-n', '127.0.0.1:1'])
  expect([code, stderr]).toEqual([1, expect.stringContaining('no name server at 127.0.0.1:1')])
})

test.each([[['-x']], [['-n']], [['-n', 'a:1', 'b']]])('%j is nothing to a shell', async (words) => {
  const { code, stderr } = await shell([], words)
  expect([code, stderr]).toEqual([1, 'mqadmin shell: it takes nothing but -n host:port\n'])
})

test('there is no shell in a shell', async () => {
  expect((await shell(['shell'])).stderr).toBe('mqadmin shell: there is one already\n')
})

test.each([
  ['UPDATETOPICP', ['updateTopicPerm ']],
  ['help topicr', ['topicRoute ']],
  ['topicroute -t x --to', ['--topic ']],
  ['nosuch -', []],
])('%s is completed', async (line, expected) => {
  expect(completions(line, await loadAll())[0]).toEqual(expected)
})
