import { viewOf } from '../base/bytes.ts'
import type { FileReader, FileSource } from './file-source.ts'
import { logFileName } from './log-files.ts'
import type { LogShared } from './log-memory.ts'
import { hasGoodBody, readRecord, RecordKind, RecordParts } from './log-record.ts'
import type { LogWindow } from './log-window.ts'

/** What lies together in a file is read in one piece of at most this length, unless one message is longer. */
const PIECE_LENGTH = 256 * 1024
/** Bytes between two messages that are read in vain rather than twice. */
const GAP_LENGTH = 16 * 1024
/** Pieces that are read at the same time. */
const READS = 4

/** Where a message is known to lie. */
export interface Place {
  position: number
  length: number
}

/** Bytes of the message; null: none of that length begins there (any more); Error: nobody can tell now. */
export type LotItem = Buffer | null | Error

export interface StoredLotsParts {
  window: LogWindow
  /** The folder of the log. */
  files: FileSource
  fileSize: number
  /** How far anyone may look. */
  visible: () => number
}

/** Messages that lie together. */
interface Piece {
  start: number
  end: number
  /** Their place among those that were asked for. */
  members: number[]
}

/** Many messages at once by their places in the log, in few reads. For one thread with an event loop. */
export class StoredLots {
  readonly #shared: LogShared
  readonly #parts: StoredLotsParts

  constructor(shared: LogShared, parts: StoredLotsParts) {
    this.#shared = shared
    this.#parts = parts
  }

  /** In the order of `places`. One that cannot be read harms no other. */
  async read(places: readonly Place[]): Promise<LotItem[]> {
    const items: LotItem[] = places.map(() => null)
    const cold: number[] = []
    for (const [nth, place] of places.entries()) {
      if (!this.#mayBe(place)) continue
      const bytes = this.#inWindow(place)
      if (bytes === null) cold.push(nth)
      else items[nth] = checked(bytes, place.position)
    }
    if (cold.length > 0) await this.#inFiles(places, cold, items)
    return items
  }

  #mayBe({ position, length }: Place): boolean {
    const { fileSize, visible } = this.#parts
    if (!Number.isSafeInteger(position) || position < this.#shared.minPosition.value()) return false
    const fileEnd = position - (position % fileSize) + fileSize
    const isPossible = length > 0 && length <= this.#parts.window.size // no append is longer
    return isPossible && position + length <= Math.min(fileEnd, visible())
  }

  #inWindow({ position, length }: Place): Buffer | null {
    if (!this.#shared.floor.guard(position)) return null
    const bytes = Buffer.allocUnsafe(length)
    this.#parts.window.copyOut(position, length, bytes, 0)
    this.#shared.floor.clear()
    return bytes
  }

  async #inFiles(places: readonly Place[], cold: number[], items: LotItem[]): Promise<void> {
    const files = new OpenFiles(this.#parts)
    const pieces = piecesOf(places, cold, this.#parts.fileSize)
    try {
      const readers = Array.from({ length: READS }, async (_, first) => {
        for (let nth = first; nth < pieces.length; nth += READS) {
          await this.#readPiece(pieces[nth]!, { places, items, files })
        }
      })
      await Promise.all(readers)
    } finally {
      await files.close()
    }
  }

  async #readPiece(piece: Piece, lot: Lot): Promise<void> {
    const { start, end, members } = piece
    const { places, items, files } = lot
    const bytes = await files.read({ position: start, length: end - start })
    if (bytes instanceof Error && members.length > 1) {
      for (const each of members) await this.#readPiece(pieceOf(places[each]!, each), lot)
      return
    }
    for (const each of members) {
      const { position, length } = places[each]!
      const at = position - start
      if (bytes === null || bytes instanceof Error) items[each] = bytes
      else if (at + length <= bytes.length) {
        items[each] = checked(bytes.subarray(at, at + length), position)
      }
    }
  }
}

interface Lot {
  places: readonly Place[]
  items: LotItem[]
  files: OpenFiles
}

/** Files of the log that one lot needs. */
class OpenFiles {
  readonly #parts: Pick<StoredLotsParts, 'files' | 'fileSize'>
  readonly #open = new Map<number, Promise<FileReader | null>>()

  constructor(parts: Pick<StoredLotsParts, 'files' | 'fileSize'>) {
    this.#parts = parts
  }

  /** Fewer bytes than asked for at the end of the file; null when it is gone. Never rejects. */
  async read({ position, length }: Place): Promise<LotItem> {
    const start = position - (position % this.#parts.fileSize)
    try {
      const file = await this.#fileAt(start)
      if (file === null) return null
      const bytes = Buffer.allocUnsafe(length)
      return bytes.subarray(0, await file.read(bytes, position - start))
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error))
    }
  }

  async close(): Promise<void> {
    for (const [file] of await Promise.all([...this.#open.values()].map(settled))) {
      await file?.close()
    }
  }

  #fileAt(start: number): Promise<FileReader | null> {
    let file = this.#open.get(start)
    if (file === undefined) {
      file = this.#parts.files.open(logFileName(start))
      this.#open.set(start, file)
    }
    return file
  }
}

/** Nothing of what could not be opened. */
async function settled(file: Promise<FileReader | null>): Promise<(FileReader | null)[]> {
  const [outcome] = await Promise.allSettled([file])
  return outcome.status === 'fulfilled' ? [outcome.value] : []
}

/** In the order of the log. */
function piecesOf(places: readonly Place[], cold: number[], fileSize: number): Piece[] {
  const pieces: Piece[] = []
  let last: Piece | undefined
  for (const each of cold.toSorted(
    (one, other) => places[one]!.position - places[other]!.position,
  )) {
    const { position, length } = places[each]!
    const end = position + length
    const isNear = last !== undefined && position - last.end <= GAP_LENGTH
    const isSameFile =
      last !== undefined && Math.floor(last.start / fileSize) === Math.floor(position / fileSize)
    if (last !== undefined && isNear && isSameFile && end - last.start <= PIECE_LENGTH) {
      last.end = Math.max(last.end, end)
      last.members.push(each)
    } else pieces.push((last = pieceOf(places[each]!, each)))
  }
  return pieces
}

function pieceOf({ position, length }: Place, member: number): Piece {
  return { start: position, end: position + length, members: [member] }
}

function checked(bytes: Buffer, position: number): Buffer | null {
  const parts = new RecordParts()
  const view = viewOf(bytes)
  if (readRecord(parts, view, 0, bytes.length) !== RecordKind.MESSAGE) return null
  const isWhole = parts.position === position && parts.length === bytes.length
  return isWhole && hasGoodBody(view, parts) ? bytes : null
}
