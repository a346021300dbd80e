import type { Call, Command } from '../command.ts'
import { END, resetEverywhere } from '../reset-offsets.ts'

export const command: Command = {
  name: 'skipAccumulatedMessage',
  doc: 'Move a group to the end of a topic: what it has not consumed yet is skipped.',
  options: [
    { short: 'g', long: 'group', doc: 'consumer group', isRequired: true },
    { short: 't', long: 'topic', doc: 'topic name', isRequired: true },
    { short: 'f', long: 'force', doc: 'kept for old scripts (true|false)' },
    { short: 'c', long: 'cluster', doc: 'only on brokers of this cluster' },
  ],
  run: skipAccumulatedMessage,
}

async function skipAccumulatedMessage({ options, admin, out }: Call): Promise<void> {
  const [group, topic] = [options.needed('g'), options.needed('t')]
  await resetEverywhere(admin, { group, topic, timestamp: END, cluster: options.text('c') }, out)
}
