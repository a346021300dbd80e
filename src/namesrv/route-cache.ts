import type { RouteDialect } from '../protocol/bodies/topic-route.ts'

/** Bytes of routes kept: those of some fifty thousand topics. */
const LENGTH_MAX = 32 * 1024 * 1024

/** Routes as they were last sent. Clients ask for each of theirs every 30 s. */
export class RouteCache {
  readonly #bodies: Record<RouteDialect, Map<string, Buffer>> = {
    legacy: new Map(),
    standard: new Map(),
  }
  #length = 0

  get(topic: string, dialect: RouteDialect): Buffer | undefined {
    return this.#bodies[dialect].get(topic)
  }

  set(topic: string, dialect: RouteDialect, body: Buffer): void {
    if (this.#length + body.length > LENGTH_MAX) this.clear()
    this.#length += body.length
    this.#bodies[dialect].set(topic, body)
  }

  /** A topic has changed. */
  forget(topic: string): void {
    for (const bodies of Object.values(this.#bodies)) {
      const body = bodies.get(topic)
      if (body === undefined) continue
      this.#length -= body.length
      bodies.delete(topic)
    }
  }

  /** A broker, or a rule for all routes, has changed. */
  clear(): void {
    this.#length = 0
    for (const bodies of Object.values(this.#bodies)) bodies.clear()
  }
}
