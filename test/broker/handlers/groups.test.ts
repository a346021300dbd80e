import { describe, expect, test } from 'vitest'
import { groupConfig } from '../../../src/broker/groups.ts'
import {
  SubscriptionGroupConfig,
  SubscriptionGroupWrapper,
} from '../../../src/protocol/bodies/subscription-group.ts'
import {
  DeleteSubscriptionGroup,
  GetAllSubscriptionGroupConfig,
  UpdateAndCreateSubscriptionGroup,
} from '../../../src/protocol/requests/group.ts'
import { ResponseCode } from '../../../src/protocol/response-code.ts'
import { ask, openBroker } from '../open-broker.ts'

const update = UpdateAndCreateSubscriptionGroup

describe('UPDATE_AND_CREATE_SUBSCRIPTIONGROUP', () => {
  test('creates a group, and changes it', async () => {
    const broker = await openBroker()
    for (const consumeEnable of [true, false]) {
      const group = { ...groupConfig('g'), consumeEnable }
      const { code } = await ask(
        broker,
        update,
        {},
        { body: SubscriptionGroupConfig.encode(group) },
      )
      expect(code).toBe(ResponseCode.SUCCESS)
      expect(broker.metadata.groups.get('g')).toEqual(group)
    }
  })

  test("takes what is missing from Apache's defaults", async () => {
    const broker = await openBroker()
    await ask(broker, update, {}, { body: Buffer.from('{"groupName":"g","retryMaxTimes":3}') })
    expect(broker.groups.get('g')).toEqual({ ...groupConfig('g'), retryMaxTimes: 3 })
  })

  test.each([
    ['a name that is not allowed', { groupName: 'a b' }, /illegal characters/],
    ['a blank name', { groupName: '' }, /blank/],
    ['a long name', { groupName: 'g'.repeat(256) }, /longer than group max length 255/],
    ['too many retry queues', { retryQueueNums: 1025 }, /must be from 0 to 1024/],
    ['attributes', { attributes: new Map([['+foo', 'bar']]) }, /attributes: \+foo/],
  ])('refuses %s', async (_, changes, remark) => {
    const broker = await openBroker()
    const body = SubscriptionGroupConfig.encode({ ...groupConfig('g'), ...changes })
    const response = await ask(broker, update, {}, { body })
    expect(response.code).toBe(ResponseCode.INVALID_PARAMETER)
    expect(response.remark).toMatch(remark)
  })

  test.each([
    ['is missing', null],
    ['is no JSON', '{"groupName"'],
    ['has no name', '{}'],
  ])('says what is wrong with a body that %s', async (_, text) => {
    const body = text === null ? null : Buffer.from(text)
    const response = await ask(await openBroker(), update, {}, { body })
    expect(response.code).toBe(ResponseCode.SYSTEM_ERROR)
    expect(response.remark).not.toBe('')
  })
})

test('GET_ALL_SUBSCRIPTIONGROUP_CONFIG answers with all groups and their version', async () => {
  const broker = await openBroker()
  await broker.groups.put(groupConfig('g'))
  const { body } = await ask(broker, GetAllSubscriptionGroupConfig, {})
  const wrapper = SubscriptionGroupWrapper.decode(body)
  expect(wrapper.dataVersion).toEqual(broker.groups.dataVersion)
  expect(wrapper.subscriptionGroupTable).toEqual(broker.groups.all)
})

describe('DELETE_SUBSCRIPTIONGROUP', () => {
  test.each([true, false])(
    'deletes the group; its offsets go when cleanOffset is %s',
    async (cleanOffset) => {
      const broker = await openBroker()
      await broker.groups.put(groupConfig('g'))
      broker.offsets.commit('g', 'T', 0, 5)
      broker.locks.lock('g', 'c', [{ topic: 'T', queueId: 0 }])
      const { code } = await ask(broker, DeleteSubscriptionGroup, { groupName: 'g', cleanOffset })
      expect(code).toBe(ResponseCode.SUCCESS)
      expect(broker.metadata.groups.has('g')).toBe(false)
      expect(broker.locks.hasLocks('g')).toBe(false)
      expect(broker.offsets.get('g', 'T', 0)).toBe(cleanOffset ? null : 5)
    },
  )

  test('of a group that is not there is done already', async () => {
    const header = { groupName: 'nope', cleanOffset: false }
    const { code } = await ask(await openBroker(), DeleteSubscriptionGroup, header)
    expect(code).toBe(ResponseCode.SUCCESS)
  })
})
