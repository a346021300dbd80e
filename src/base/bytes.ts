/** Rounds `value` up to a multiple of `step`. Exact for integers below 2^53. */
export function roundUp(value: number, step: number): number {
  const rest = value % step
  return rest === 0 ? value : value + step - rest
}

/** Reads a big-endian int64 that must be a safe integer: positions, offsets and times are. */
export function readSafeInt64(view: DataView, at: number): number {
  return view.getInt32(at) * 2 ** 32 + view.getUint32(at + 4)
}

/** Writes a safe integer as a big-endian int64. Negative values are written in two's complement. */
export function writeSafeInt64(view: DataView, at: number, value: number): void {
  view.setInt32(at, Math.floor(value / 2 ** 32))
  view.setInt32(at + 4, value | 0)
}

/** A view of the same bytes: reads and writes of several bytes at once are cheap through it. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/**
 * Copies bytes, eight at a time. For up to some 128 of them, into shared memory: above that
 * `Buffer.copy` wins, and a loop over bytes never does (bench/micro, copies).
 */
export function copyFew(
  target: DataView,
  at: number,
  source: DataView,
  from: number,
  length: number,
): void {
  let i = 0
  for (; i + 8 <= length; i += 8) {
    target.setInt32(at + i, source.getInt32(from + i))
    target.setInt32(at + i + 4, source.getInt32(from + i + 4))
  }
  for (; i < length; i++) target.setUint8(at + i, source.getUint8(from + i))
}
