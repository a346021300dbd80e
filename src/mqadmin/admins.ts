import { Admin } from './admin.ts'

/** The Admin of each list of name servers. They keep their connections from one command to the next. */
export class Admins {
  readonly #all = new Map<string, Admin>()
  readonly #timeoutMs: number | undefined

  /** `timeoutMs`: how long one answer may take, else as Apache's tools wait. */
  constructor(timeoutMs?: number) {
    this.#timeoutMs = timeoutMs
  }

  /** `servers`: `host:port;host:port`. */
  of(servers: string): Admin {
    const addresses = servers.split(';').map((each) => each.trim())
    const known = addresses.filter((each) => each !== '')
    const key = known.join(';')
    const admin = this.#all.get(key) ?? new Admin(known, this.#timeoutMs)
    this.#all.set(key, admin)
    return admin
  }

  async close(): Promise<void> {
    await Promise.all([...this.#all.values()].map((admin) => admin.close()))
    this.#all.clear()
  }
}
