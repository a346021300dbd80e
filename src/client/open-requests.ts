import { randomUUID } from 'node:crypto'
import { isIP } from 'node:net'
import { hostBytes, parseAddress } from '../net/address.ts'
import { Handlers } from '../net/handlers.ts'
import { TimeoutError } from '../net/remoting-error.ts'
import { decodeProperties, type StoredMessage } from '../protocol/message.ts'
import { MessageProperty } from '../protocol/message-property.ts'
import { type PushReplyHeader, PushReplyMessageToClient } from '../protocol/requests/reply.ts'
import { ReceivedMessage } from './received-message.ts'

interface OpenRequest {
  resolve: (answer: ReceivedMessage) => void
  reject: (error: unknown) => void
  timer: NodeJS.Timeout
}

/** A message that waits for its answer. */
export interface RequestInFlight {
  readonly correlationId: string
  /** Rejects with TimeoutError, or with what `fail` was given. */
  readonly answer: Promise<ReceivedMessage>
  /** It was never sent. */
  readonly fail: (error: unknown) => void
}

/** The messages of one producer that wait for an answer, by CORRELATION_ID. */
export class OpenRequests {
  readonly #open = new Map<string, OpenRequest>()
  /** What brokers pass on. */
  readonly handlers = new Handlers().on(PushReplyMessageToClient, (header, { request }) =>
    this.#onAnswer(header, request.body ?? new Uint8Array(0)),
  )

  add(topic: string, timeoutMs: number): RequestInFlight {
    const correlationId = randomUUID()
    const { promise: answer, resolve, reject } = Promise.withResolvers<ReceivedMessage>()
    const late = new TimeoutError(`topic ${topic}: no answer to the message in ${timeoutMs} ms`)
    const fail = (error: unknown) => this.#take(correlationId)?.reject(error)
    const timer = setTimeout(() => fail(late), timeoutMs)
    this.#open.set(correlationId, { resolve, reject, timer })
    return { correlationId, answer, fail }
  }

  /** No answer will come any more. */
  failAll(error: Error): void {
    for (const correlationId of this.#open.keys()) this.#take(correlationId)?.reject(error)
  }

  /** An answer that comes too late has been told about as such; brokers need not hear of it. */
  #onAnswer(header: PushReplyHeader, body: Uint8Array): void {
    const stored = answerOf(header, Buffer.from(body))
    const correlationId = stored.properties.get(MessageProperty.CORRELATION_ID) ?? ''
    this.#take(correlationId)?.resolve(new ReceivedMessage(stored, ''))
  }

  #take(correlationId: string): OpenRequest | undefined {
    const request = this.#open.get(correlationId)
    clearTimeout(request?.timer)
    this.#open.delete(correlationId)
    return request
  }
}

/** Nobody says whether, and where, it is stored. */
function answerOf(header: PushReplyHeader, body: Buffer): StoredMessage {
  const { topic, queueId, sysFlag, flag, bornTimestamp, storeTimestamp, reconsumeTimes } = header
  const properties = decodeProperties(header.properties ?? '')
  properties.set(MessageProperty.ARRIVE_TIME, String(Date.now()))
  return {
    length: 0,
    topic,
    queueId,
    queueOffset: -1,
    position: -1,
    sysFlag,
    flag,
    bodyCrc: 0,
    bornTimestamp,
    bornHost: addressBytes(header.bornHost),
    storeTimestamp,
    storeHost: addressBytes(header.storeHost),
    reconsumeTimes,
    preparedTransactionOffset: 0,
    body,
    properties,
  }
}

/** IP and port as messages carry them; a broker that goes by a name comes out as 0.0.0.0. */
function addressBytes(address: string): Uint8Array {
  const { host, port } = parseAddress(address)
  const ip = hostBytes(isIP(host) === 0 ? '0.0.0.0' : host)
  const bytes = Buffer.alloc(ip.length + 4)
  bytes.set(ip)
  bytes.writeInt32BE(port, ip.length)
  return bytes
}
