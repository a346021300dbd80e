import { existsSync, readFileSync } from 'node:fs'

import { body, orElse, record, text, textMap } from '../protocol/json-shape.ts'
import { ResponseError } from '../protocol/response-error.ts'
import { replaceFile } from './durable-file.ts'

/** Namespace of the order in which queues of a topic were declared: `brokerName:count;…`. */
export const ORDER_TOPIC_CONFIG = 'ORDER_TOPIC_CONFIG'

/** Bytes of the file: everybody may put, and every put writes all of it. */
const LENGTH_MAX = 8 * 1024 * 1024

/** The file. Source: Apache 5.3.3, KVConfigSerializeWrapper. */
const KvConfigFile = body(
  'KVConfigSerializeWrapper',
  record({ configTable: orElse(textMap(textMap(text)), new Map()) }),
)

type Namespaces = Map<string, Map<string, string>>

/** The file and its `.bak` are there, but neither can be read. */
export class KvConfigError extends Error {
  override name = 'KvConfigError'
}

/** Key-value settings by namespace, kept in a file. A change is durable when its call returns. */
export class KvConfig {
  readonly #path: string
  #namespaces: Namespaces

  /** Throws KvConfigError: to start with nothing would be to lose what is there. */
  constructor(path: string) {
    this.#path = path
    this.#namespaces = load(path)
  }

  get(namespace: string, key: string): string | undefined {
    return this.#namespaces.get(namespace)?.get(key)
  }

  /** undefined: nothing was ever put there. */
  table(namespace: string): Map<string, string> | undefined {
    return this.#namespaces.get(namespace)
  }

  put(namespace: string, key: string, value: string): void {
    const table = new Map(this.table(namespace)).set(key, value)
    this.#save(new Map(this.#namespaces).set(namespace, table))
  }

  delete(namespace: string, key: string): void {
    if (this.get(namespace, key) === undefined) return
    const table = new Map(this.table(namespace))
    table.delete(key)
    this.#save(new Map(this.#namespaces).set(namespace, table))
  }

  #save(namespaces: Namespaces): void {
    const content = KvConfigFile.write({ configTable: namespaces })
    if (content.length > LENGTH_MAX) {
      throw new ResponseError('SYSTEM_ERROR', `key-value settings over ${LENGTH_MAX} bytes`)
    }
    replaceFile(this.#path, content)
    this.#namespaces = namespaces
  }
}

function load(path: string): Namespaces {
  const problems: string[] = []
  for (const file of [path, `${path}.bak`]) {
    if (!existsSync(file)) continue
    try {
      return KvConfigFile.decode(readFileSync(file)).configTable
    } catch (error) {
      problems.push(`${file}: ${(error as Error).message}`)
    }
  }
  if (problems.length === 0) return new Map()
  const advice = 'put a good copy there, or move it away to start with nothing'
  throw new KvConfigError(`${problems.join('; ')}: ${advice}`)
}
