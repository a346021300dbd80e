import { extname } from 'node:path'
import { Piscina } from 'piscina'
import { runTask, type Results, type Task } from './task.ts'

/** Runs tasks: in threads, or one after the other where no threads are wanted. */
export interface TaskRunner {
  run<K extends Task['kind']>(task: Extract<Task, { kind: K }>): Promise<Results[K]>
  close(): Promise<void>
}

/** `jobs` threads; with 0 everything runs in this one. */
export function openTaskRunner(jobs: number): TaskRunner {
  return jobs === 0 ? new InThisThread() : new InThreads(jobs)
}

class InThisThread implements TaskRunner {
  async run<K extends Task['kind']>(task: Extract<Task, { kind: K }>): Promise<Results[K]> {
    return (await runTask(task)) as Results[K]
  }

  async close(): Promise<void> {}
}

class InThreads implements TaskRunner {
  readonly #pool: Piscina

  constructor(jobs: number) {
    const type = extname(import.meta.filename) // a bundle is JavaScript
    this.#pool = new Piscina({
      filename: new URL(`../../workers/check${type}`, import.meta.url).href,
      name: 'runTask',
      minThreads: 1,
      maxThreads: jobs,
      concurrentTasksPerWorker: 1,
    })
  }

  async run<K extends Task['kind']>(task: Extract<Task, { kind: K }>): Promise<Results[K]> {
    return (await this.#pool.run(task)) as Results[K]
  }

  close(): Promise<void> {
    return this.#pool.close()
  }
}
