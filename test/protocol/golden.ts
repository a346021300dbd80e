/** Bytes that Apache 5.3.3 wrote: see test/golden/frames/README.md. */
import { readFileSync } from 'node:fs'

export interface GoldenFrame {
  name: string
  serializeType: 'JSON' | 'ROCKETMQ'
  via: string
  hex: string
  decoded: {
    code: number
    language: string
    version: number
    opaque: number
    flag: number
    remark: string | null
    extFields: Record<string, string> | null
    bodyHex: string | null
    /** The body again, when it is text. */
    bodyText?: string
  }
}

export const goldenFrames = read<GoldenFrame[]>('frames.json')

export const goldenBodies = read<{ bodies: Record<string, { text: string }> }>('bodies.json').bodies

export const goldenMessages = read<Record<string, string>>('messages.json')

/** The first frame whose name begins so, without its length prefix. */
export function goldenFrame(name: string, serializeType: 'JSON' | 'ROCKETMQ' = 'JSON'): Buffer {
  const frame = goldenFrames.find(
    (each) => each.name.startsWith(name) && each.serializeType === serializeType,
  )
  return Buffer.from(frame!.hex, 'hex').subarray(4)
}

function read<T>(file: string): T {
  return JSON.parse(readFileSync(new URL(`../golden/frames/${file}`, import.meta.url), 'utf8')) as T
}
