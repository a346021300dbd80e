import type { Admin } from './admin.ts'
import type { GivenOptions } from './options.ts'
import type { Output } from './output.ts'
import type { Progress } from './progress.ts'

/** One option, by Apache 5.3.3's letters and words. */
export interface Option {
  readonly short: string
  readonly long: string
  readonly doc: string
  /** It takes no value. */
  readonly isFlag?: boolean
  readonly isRequired?: boolean
  /** Only the long form is taken; `short` is then what it is asked for by. */
  readonly isLongOnly?: boolean
}

/** What a command works with. Everything is closed when it has ended. */
export interface Call {
  readonly options: GivenOptions
  readonly admin: Admin
  readonly out: Output
  /** Aborts at SIGINT: commands that go on for ever end then. */
  readonly stopped: AbortSignal
  /** Begins to show how much of `total` is done, where somebody looks. */
  readonly progress: (total: number, what: string) => Progress
}

/** One file each, in commands/. Throws to fail: AdminError, ResponseError, ConnectionError, TimeoutError. */
export interface Command {
  /** As Apache writes it; users may write it in any case. */
  readonly name: string
  readonly doc: string
  /** Beside -h and -n, which all have. */
  readonly options: readonly Option[]
  /** Short names: exactly one option of each group must be given. */
  readonly oneOf?: readonly (readonly string[])[]
  /** Options that it does not declare are passed over: it does nothing anyway. */
  readonly takesAnything?: boolean
  run(call: Call): Promise<void>
}

/** Something that the user can mend: one sentence with the cause and the next step. */
export class AdminError extends Error {
  override name = 'AdminError'
}
