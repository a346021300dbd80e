import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'

export type WorkerRole = 'network' | 'flush' | 'dispatch'

/** A thread that loads its code, then waits for its boot message. */
function startWorker(role: WorkerRole): Worker {
  const type = extname(import.meta.filename) // scripts/bundle.ts makes JavaScript of them
  return new Worker(new URL(`../../workers/${role}${type}`, import.meta.url), { name: role })
}

/**
 * Threads that are started before main has loaded its own code: loading is most of a start, and it
 * runs in parallel so. This module therefore imports nothing of ours.
 */
export class EarlyWorkers {
  readonly #waiting: Map<WorkerRole, Worker>

  constructor(roles: readonly WorkerRole[] = []) {
    this.#waiting = new Map(roles.map((role) => [role, startWorker(role)]))
  }

  /** The one that was started early, else a new one. */
  take(role: WorkerRole): Worker {
    const worker = this.#waiting.get(role)
    this.#waiting.delete(role)
    return worker ?? startWorker(role)
  }
}
