import { formatAddress, parseAddress } from '../net/address.ts'
import type { RemotingClient } from '../net/remoting-client.ts'
import { ConnectionError, TimeoutError } from '../net/remoting-error.ts'
import type { RequestSpec } from '../protocol/request.ts'
import { ClientError } from './client-error.ts'

const REQUEST_TIMEOUT_MS = 3000

/**
 * `host:port;host:port` as in NAMESRV_ADDR. Throws ClientError that says what is wrong and what is
 * allowed.
 */
export function parseNameServers(text: string | undefined): string[] {
  const addresses = (text ?? '').split(';').map((address) => address.trim())
  const named = addresses.filter((address) => address !== '')
  if (named.length === 0) {
    throw new ClientError('no name server: set nameServers or NAMESRV_ADDR to host:port;host:port')
  }
  return named.map(checkedAddress)
}

function checkedAddress(address: string): string {
  try {
    return formatAddress(parseAddress(address))
  } catch (error) {
    const reason = (error as RangeError).message
    throw new ClientError(`nameServers: ${reason}; several are separated by ;`, { cause: error })
  }
}

/** They all know the same. Stays with one until it cannot be reached, then asks the next. */
export class NameServers {
  readonly #remoting: RemotingClient
  readonly #addresses: readonly string[]
  #current: number

  constructor(remoting: RemotingClient, addresses: readonly string[]) {
    this.#remoting = remoting
    this.#addresses = addresses
    // Clients that all began with the first would leave the others idle.
    this.#current = Math.floor(Math.random() * addresses.length)
  }

  /** Throws the ResponseError of the first that answers, or ConnectionError when none does. */
  async call<H, R>(spec: RequestSpec<H, R>, header: H) {
    let failure: unknown
    for (let turn = 0; turn < this.#addresses.length; turn++) {
      const index = this.#current
      try {
        const options = { timeoutMs: REQUEST_TIMEOUT_MS }
        return await this.#remoting.call(this.#addresses[index]!, spec, header, options)
      } catch (error) {
        if (!isUnreachable(error)) throw error
        failure = error
        this.#leave(index)
      }
    }
    const reason = failure instanceof Error ? failure.message : String(failure)
    const all = this.#addresses.join(';')
    throw new ConnectionError(`no name server of ${all} answers: ${reason}`, { cause: failure })
  }

  /** Only the first of several failing callers moves on. */
  #leave(index: number): void {
    if (this.#current === index) this.#current = (index + 1) % this.#addresses.length
  }
}

function isUnreachable(error: unknown): boolean {
  return error instanceof ConnectionError || error instanceof TimeoutError
}
