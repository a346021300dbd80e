import { open, type FileHandle } from 'node:fs/promises'
import { onTestFinished, vi } from 'vitest'

/** From now on the disk refuses to sync file data; what is returned makes it well again. */
export async function failSync(folder: string): Promise<() => void> {
  const handle = await open(folder)
  const prototype = Object.getPrototypeOf(handle) as FileHandle
  await handle.close()
  const error = Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' })
  const spy = vi.spyOn(prototype, 'datasync').mockRejectedValue(error)
  onTestFinished(() => spy.mockRestore())
  return () => spy.mockRestore()
}
