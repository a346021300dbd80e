import { expect, test } from 'vitest'
import { MetadataView, type GroupView } from '../../src/broker/metadata-view.ts'

const SUBSCRIPTION = {
  classFilterMode: false,
  topic: 'T',
  subString: 'A || B',
  tagsSet: ['A', 'B'],
  codeSet: [65, 66],
  subVersion: 7,
  expressionType: 'TAG',
}

function groupOf(view: MetadataView, group: string): GroupView | undefined {
  const key = Buffer.from(group)
  return view.groups.get(key, 0, key.length)
}

test('a heartbeat does not bring back a group that was deleted', () => {
  const view = new MetadataView()
  view.apply({ kind: 'group', group: 'G', consumeEnable: false })
  view.apply({ kind: 'groupGone', group: 'G' })
  view.apply({ kind: 'subscriptions', group: 'G', subscriptions: [SUBSCRIPTION] })
  expect(groupOf(view, 'G')).toBe(undefined)
})

test('a group that is made after its consumers came has their subscriptions', () => {
  const view = new MetadataView()
  view.apply({ kind: 'subscriptions', group: 'G', subscriptions: [SUBSCRIPTION] })
  view.apply({ kind: 'group', group: 'G', consumeEnable: true })
  const tags = new Set([65, 66])
  expect(groupOf(view, 'G')!.subscriptions!.get('T')).toMatchObject({ subVersion: 7, tags })
  view.apply({ kind: 'subscriptions', group: 'G', subscriptions: [] })
  expect(groupOf(view, 'G')!.subscriptions).toBe(null)
})
