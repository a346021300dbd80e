import { type Body, body, orElse, record, textMap } from '../../protocol/json-shape.ts'
import { RequestModeBody } from '../../protocol/bodies/request-mode.ts'
import type { Log } from '../../log/log.ts'
import type { ConfigFile } from '../config-json.ts'

const Table = body(
  'MessageRequestModeManager',
  record({ messageRequestModeMap: orElse(textMap(textMap(RequestModeBody)), new Map()) }),
)
type Table = typeof Table extends Body<infer T> ? T : never

/** How each group is to consume each topic, where somebody has set it: config/messageRequestMode.json (Apache 5.3.3). */
export class RequestModes {
  readonly #file: ConfigFile
  readonly #log: Log
  #modes: Table['messageRequestModeMap'] = new Map()

  constructor({ file, log }: { file: ConfigFile; log: Log }) {
    this.#file = file
    this.#log = log
  }

  /** Reads what the last run left. Throws ConfigFileError. */
  async load(): Promise<void> {
    const json = await this.#file.load()
    if (json !== null) this.#modes = Table.read(json).messageRequestModeMap
  }

  /** Null: nobody has set it. */
  get(topic: string, group: string): RequestModeBody | null {
    return this.#modes.get(topic)?.get(group) ?? null
  }

  /** Durable when it resolves. */
  async set(mode: RequestModeBody): Promise<void> {
    const { topic, consumerGroup } = mode
    let groups = this.#modes.get(topic)
    if (groups === undefined) this.#modes.set(topic, (groups = new Map<string, RequestModeBody>()))
    groups.set(consumerGroup, mode)
    await this.#save()
  }

  async removeTopic(topic: string): Promise<void> {
    if (this.#modes.delete(topic)) await this.#saveOrLog()
  }

  async removeGroup(group: string): Promise<void> {
    const removed = [...this.#modes.values()].filter((groups) => groups.delete(group))
    if (removed.length > 0) await this.#saveOrLog()
  }

  /** What is left of a thing that is gone hurts nobody. */
  async #saveOrLog(): Promise<void> {
    await this.#save().catch((error: unknown) => {
      this.#log.warn({ file: this.#file.path, error }, 'request modes cannot be written')
    })
  }

  #save(): Promise<void> {
    return this.#file.save(Table.write({ messageRequestModeMap: this.#modes }))
  }
}
