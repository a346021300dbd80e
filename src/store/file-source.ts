import { open, readdir, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { isMissing } from './disk-error.ts'

/** A file that is read off the event loop. */
export interface FileReader {
  /** Bytes read; fewer than the buffer holds only at the end of the file. */
  read(buffer: Buffer, position: number): Promise<number>
  close(): Promise<void>
}

/** The files of a folder, as main reads them for queries: rarely, so that none is kept open. */
export interface FileSource {
  /** Names of all of them; none when there is no such folder. */
  names(): Promise<string[]>
  /** Null: the file is gone, as files of old messages go. */
  open(name: string): Promise<FileReader | null>
}

export function filesIn(directory: string): FileSource {
  return {
    names: async () => (await orNull(readdir(directory))) ?? [],
    open: async (name) => {
      const file = await orNull(open(join(directory, name), 'r'))
      return file && readerOf(file)
    },
  }
}

function readerOf(file: FileHandle): FileReader {
  return {
    read: async (buffer, position) => {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, position)
      return bytesRead // a regular file gives all that was asked for, up to its end
    },
    close: () => file.close(),
  }
}

async function orNull<T>(opening: Promise<T>): Promise<T | null> {
  try {
    return await opening
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}
