import type { Call, Command } from '../command.ts'

export const command: Command = {
  name: 'topicClusterList',
  doc: 'List the clusters that hold a topic.',
  options: [{ short: 't', long: 'topic', doc: 'topic name', isRequired: true }],
  run: topicClusterList,
}

async function topicClusterList({ options, admin, out }: Call): Promise<void> {
  const { brokerDatas } = await admin.route(options.needed('t'))
  const clusters = [...new Set(brokerDatas.map(({ cluster }) => cluster))]
  for (const cluster of clusters) out.line(cluster)
  out.data(clusters)
}
