import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { generatedCodes } from '../../scripts/generate-codes.ts'
import { MqVersion } from '../../src/protocol/mq-version.ts'
import { RequestCode } from '../../src/protocol/request-code.ts'
import { requestCodeName } from '../../src/protocol/request.ts'
import { ResponseCode, responseDetails } from '../../src/protocol/response-code.ts'
import { ResponseError, responseCodeName } from '../../src/protocol/response-error.ts'

test.each([...generatedCodes()])('%s is what scripts/facts say', (file, text) => {
  const url = new URL(`../../src/protocol/${file}`, import.meta.url)
  expect(readFileSync(url, 'utf8')).toBe(text)
})

test('no two requests and no two responses have the same number', () => {
  const requests: number[] = Object.values(RequestCode)
  const responses: number[] = Object.values(ResponseCode)
  expect(new Set(requests).size).toBe(requests.length)
  expect(new Set(responses).size).toBe(responses.length)
})

test('numbers that clients and brokers count on', () => {
  expect(RequestCode.SEND_MESSAGE_V2).toBe(310)
  expect(RequestCode.LITE_PULL_MESSAGE).toBe(361)
  expect(ResponseCode.PULL_OFFSET_MOVED).toBe(21)
  expect(MqVersion.V5_3_3).toBe(479)
  expect(MqVersion.V4_9_4).toBe(401)
  expect(MqVersion.V5_0_0).toBe(413)
  expect(MqVersion.V3_0_11).toBe(37)
})

test('producers send again after the codes Apache sends again after', () => {
  const names = Object.keys(responseDetails) as (keyof typeof responseDetails)[]
  const retried = names.filter((name) => responseDetails[name].retry)
  const codes = retried.map((name) => ResponseCode[name] as number)
  expect(codes.sort((one, other) => one - other)).toEqual([1, 2, 14, 16, 17, 204, 205, 1500])
})

test('a number has its name, or none', () => {
  expect(requestCodeName(105)).toBe('GET_ROUTEINFO_BY_TOPIC')
  expect(requestCodeName(106_000)).toBeNull()
  expect(responseCodeName(17)).toBe('TOPIC_NOT_EXIST')
  expect(responseCodeName(-1)).toBeNull()
})

test('a ResponseError carries name, number and remark', () => {
  const error = new ResponseError('TOPIC_NOT_EXIST', 'topic[t] not exist')
  expect(error).toMatchObject({
    code: 17,
    codeName: 'TOPIC_NOT_EXIST',
    message: 'topic[t] not exist',
  })
})

test('a response that is no success becomes a ResponseError, even of an unknown number', () => {
  expect(ResponseError.fromResponse({ code: 16, remark: 'no' })).toMatchObject({
    codeName: 'NO_PERMISSION',
    message: 'no',
  })
  expect(ResponseError.fromResponse({ code: 4711, remark: null })).toMatchObject({
    code: 4711,
    codeName: 'SYSTEM_ERROR',
    message: 'response code 4711',
  })
})
