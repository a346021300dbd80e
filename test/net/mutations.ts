import { readFileSync } from 'node:fs'

/** Real frames, prefix included, from Apache's clients and brokers. */
export function goldenFrames(): Buffer[] {
  const file = new URL('../golden/frames/frames.json', import.meta.url)
  const frames = JSON.parse(readFileSync(file, 'utf8')) as { hex: string }[]
  return frames.map(({ hex }) => Buffer.from(hex, 'hex'))
}

/** Numbers from a seed: the same ones each time. */
export function randomFrom(seed: number): (below: number) => number {
  let state = seed | 0
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    return Math.floor(((state >>> 0) / 2 ** 32) * below)
  }
}

/** A frame damaged in one of the ways that bytes get damaged, or that somebody damages them. */
export function mutate(frame: Buffer, random: (below: number) => number): Buffer {
  const bytes = Buffer.from(frame)
  const at = random(bytes.length)
  switch (random(7)) {
    case 0: // one bit
      bytes[at]! ^= 1 << random(8)
      return bytes
    case 1: // a few bytes
      for (let count = random(8); count >= 0; count--) bytes[random(bytes.length)] = random(256)
      return bytes
    case 2: // any length
      bytes.writeInt32BE(random(2 ** 32) | 0, 0)
      return bytes
    case 3: // a length that is nearly right
      bytes.writeInt32BE(bytes.length - 4 + random(9) - 4, 0)
      return bytes
    case 4: // any header word
      bytes.writeUInt32BE(random(2 ** 32), 4)
      return bytes
    case 5: // cut short, and honest about it
      bytes.writeInt32BE(Math.max(at - 4, 0), 0)
      return bytes.subarray(0, Math.max(at, 4))
    default: // a number within the header that is a length, perhaps
      bytes.writeInt32BE(random(2 ** 32) | 0, Math.min(at, bytes.length - 4))
      return bytes
  }
}
