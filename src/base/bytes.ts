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
