/**
 * A store that Apache's broker left (golden `pop`): two check points in its timer wheel, one of them with an ack, and
 * in the revive topic what it was done with.
 */
import { expect, test } from 'vitest'
import type { ServerProcess } from '../support/broker-process.ts'
import { GOLDEN_QUEUE_FILE_SIZE, goldenLogFileSize, unpackGolden } from '../support/golden-store.ts'
import { pop } from '../support/pops.ts'
import { startBroker } from '../support/started-broker.ts'
import { tempFolder } from '../support/temp-folder.ts'

const GROUP = 'CG_pop'

async function startOn(folder: string): Promise<ServerProcess> {
  const settings = {
    brokerClusterName: 'GoldenCluster',
    brokerName: 'golden-a',
    storePathRootDir: unpackGolden('pop', folder),
    mappedFileSizeCommitLog: goldenLogFileSize('pop'),
    mappedFileSizeConsumeQueue: GOLDEN_QUEUE_FILE_SIZE,
    fileReservedTime: 1_000_000,
  }
  return startBroker(settings, folder)
}

test('what Apache’s broker left in its wheel comes again, and nothing that was acknowledged', async () => {
  const client = await (await startOn(tempFolder())).connect()
  const got: string[] = []
  while (got.length < 3) {
    const { popped } = await pop(client, 'TopicPop', { consumerGroup: GROUP, pollTime: 30_000 })
    got.push(...popped.map(({ message }) => message.properties.get('KEYS')!))
  }
  // pk3 was put back by Apache already; pk4 is in a check point of its own, pk5 in the one it was popped with.
  expect(got.toSorted()).toEqual(['pk3', 'pk4', 'pk5'])
})
