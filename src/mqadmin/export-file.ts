import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AdminError, type Call, type Option } from './command.ts'

/** Where Apache's commands write, too. */
const FOLDER = '/tmp/rocketmq/export'

export const FILE_OPTION: Option = {
  short: 'f',
  long: 'filePath',
  doc: `folder to write into, else ${FOLDER}`,
}

/**
 * Writes `DIR/name` as Apache 5.3.3 does: JSON with tabs. With --json it is printed and nothing is written.
 * Throws AdminError when the folder or the file cannot be written.
 */
export async function exportFile(
  { options, out }: Pick<Call, 'options' | 'out'>,
  name: string,
  content: object,
): Promise<void> {
  out.data(content)
  if (out.isJson) return
  const folder = options.text('f') ?? FOLDER
  const path = join(folder, name)
  try {
    await mkdir(folder, { recursive: true })
    await writeFile(path, JSON.stringify(content, null, '\t'))
  } catch (error) {
    throw new AdminError(`${path} cannot be written: ${(error as Error).message}`, { cause: error })
  }
  out.line('export %s success', path)
}

/** A body as it travels, as a value that can be written. */
export function plainOf(body: Uint8Array): Record<string, unknown> {
  return JSON.parse(Buffer.from(body).toString()) as Record<string, unknown>
}
