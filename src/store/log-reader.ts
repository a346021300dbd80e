import type { LogFiles } from './log-files.ts'
import type { LogShared } from './log-memory.ts'
import type { LogWindow } from './log-window.ts'

/**
 * Copies stored bytes out, from the window where they still stand there, else from the file. For
 * one thread; uses that thread's floor only within a call (see `LogShared.floor`).
 */
export class LogReader {
  readonly #shared: LogShared
  readonly #window: LogWindow
  readonly #files: LogFiles

  constructor(shared: LogShared, window: LogWindow, files: LogFiles) {
    this.#shared = shared
    this.#window = window
    this.#files = files
  }

  /** True when it was in the window: then nothing but memory was touched. */
  readWindow(position: number, length: number, target: Uint8Array, targetAt: number): boolean {
    if (!this.#shared.floor.guard(position)) return false
    this.#window.copyOut(position, length, target, targetAt)
    this.#shared.floor.clear()
    return true
  }

  /** Bytes read: all of `length` unless the log's file ends before. Everything asked for is written. */
  read(position: number, length: number, target: Uint8Array, targetAt: number): number {
    if (this.readWindow(position, length, target, targetAt)) return length
    return this.#files.read(position, length, target, targetAt)
  }
}
