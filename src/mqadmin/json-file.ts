import { readFile } from 'node:fs/promises'
import type { Body } from '../protocol/json-shape.ts'
import { JsonError, parseJson } from '../protocol/json.ts'
import { AdminError } from './command.ts'

/** A file that holds a JSON array of these. Throws AdminError that says what is wrong with which of them. */
export async function readList<T>(path: string, shape: Body<T>): Promise<T[]> {
  const bytes = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') throw new AdminError(`the file path ${path} does not exists`)
    throw new AdminError(`${path} cannot be read: ${error.message}`)
  })
  try {
    const list = parseJson(bytes)
    if (!Array.isArray(list)) throw new AdminError(`${path}: it must be a JSON array of objects`)
    if (list.length === 0)
      throw new AdminError(`${path}: the array is empty, there is nothing to do`)
    return list.map((each, nth) => shape.read(each, `${path}[${nth}]`))
  } catch (error) {
    if (error instanceof JsonError) throw new AdminError(`${path}: ${error.message}`)
    throw error
  }
}
