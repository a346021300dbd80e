/**
 * Values by byte keys (topic and group names as they stand in a frame or a record), looked up
 * without making a string. Open addressing with linear probing; grows at half full.
 */
export class ByteTable<T> {
  #keys: (Buffer | undefined)[] = Array.from({ length: 16 }, () => undefined)
  #values: (T | undefined)[] = Array.from({ length: 16 }, () => undefined)
  #used = 0

  get(bytes: Uint8Array, at: number, length: number): T | undefined {
    const mask = this.#keys.length - 1
    for (let slot = hashOf(bytes, at, length) & mask; ; slot = (slot + 1) & mask) {
      const key = this.#keys[slot]
      if (key === undefined) return undefined
      if (isSame(key, bytes, at, length)) return this.#values[slot]
    }
  }

  set(name: string, value: T): void {
    const key = Buffer.from(name)
    const slot = this.#slotOf(key)
    if (this.#keys[slot] === undefined) this.#used++
    this.#keys[slot] = key
    this.#values[slot] = value
    if (this.#used * 2 > this.#keys.length) this.#grow()
  }

  /** The key's slot stays taken, so that probes go past it; its value is gone. */
  delete(name: string): void {
    const slot = this.#slotOf(Buffer.from(name))
    if (this.#keys[slot] !== undefined) this.#values[slot] = undefined
  }

  /** Names and values, in no order. */
  *entries(): Generator<[string, T]> {
    for (const [slot, key] of this.#keys.entries()) {
      const value = this.#values[slot]
      if (key !== undefined && value !== undefined) yield [key.toString(), value]
    }
  }

  #slotOf(key: Buffer): number {
    const mask = this.#keys.length - 1
    let slot = hashOf(key, 0, key.length) & mask
    while (this.#keys[slot] !== undefined && !this.#keys[slot]!.equals(key))
      slot = (slot + 1) & mask
    return slot
  }

  #grow(): void {
    const keys = this.#keys
    const values = this.#values
    const length = keys.length * 2
    this.#keys = Array.from({ length }, () => undefined)
    this.#values = Array.from({ length }, () => undefined)
    this.#used = 0
    for (const [from, key] of keys.entries()) {
      if (key === undefined || values[from] === undefined) continue
      const slot = this.#slotOf(key)
      this.#keys[slot] = key
      this.#values[slot] = values[from]
      this.#used++
    }
  }
}

/** FNV-1a, folded so that the low bits depend on all of it. */
function hashOf(bytes: Uint8Array, at: number, length: number): number {
  let hash = 0x811c9dc5
  for (let i = at; i < at + length; i++) hash = Math.imul(hash ^ bytes[i]!, 0x01000193)
  return hash ^ (hash >>> 15)
}

function isSame(key: Uint8Array, bytes: Uint8Array, at: number, length: number): boolean {
  if (key.length !== length) return false
  for (let i = 0; i < length; i++) if (key[i] !== bytes[at + i]) return false
  return true
}
