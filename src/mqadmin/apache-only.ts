import type { RequestSpec } from '../protocol/request.ts'
import { ResponseCode } from '../protocol/response-code.ts'
import { ResponseError } from '../protocol/response-error.ts'
import type { Admin } from './admin.ts'
import { AdminError } from './command.ts'

/** What Apache's broker can be asked, and RingMQ's cannot. Throws AdminError when that is why it fails. */
export async function callApacheOnly<H, R>(
  admin: Admin,
  address: string,
  spec: RequestSpec<H, R>,
  header: H,
  body: Uint8Array | null = null,
): Promise<{ header: R; body: Uint8Array | null }> {
  try {
    return await admin.call(address, spec, header, { body })
  } catch (error) {
    if (!isNotSupported(error)) throw error
    const why = `the broker ${address} does not have that: only Apache's brokers map their files and slow down groups that read old messages`
    throw new AdminError(why, { cause: error })
  }
}

/** Whether the broker knows no such request. */
export function isNotSupported(error: unknown): boolean {
  return error instanceof ResponseError && error.code === ResponseCode.REQUEST_CODE_NOT_SUPPORTED
}
