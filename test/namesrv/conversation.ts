import { RemotingClient } from '../../src/net/remoting-client.ts'
import { type JsonValue, parseJson } from '../../src/protocol/json.ts'
import { type RemotingCommand, requestCommand } from '../../src/protocol/remoting-command.ts'
import type { Step } from './scenario-words.ts'

/** What a name server said, free of orders that mean nothing. */
export interface Said {
  name: string
  code: number
  remark: string | null
  fields: Record<string, string>
  /** null: no body. Text that is no JSON stays text. */
  body: unknown
}

/** Holds the conversation. `settle` is awaited after steps that a server may take its time over. */
export async function converse(
  address: string,
  steps: readonly Step[],
  settle: (step: Step) => Promise<void>,
): Promise<Said[]> {
  const clients = new Map<string, RemotingClient>()
  const said: Said[] = []
  for (const step of steps) {
    const client = clients.get(step.via) ?? new RemotingClient()
    clients.set(step.via, client)
    if (step.close) {
      await client.close()
      clients.delete(step.via)
    } else {
      said.push({ name: step.name, ...plain(await client.invoke(address, commandOf(step))) })
    }
    await settle(step)
  }
  for (const client of clients.values()) await client.close()
  return said
}

function commandOf({ code, fields, body, version }: Step): RemotingCommand {
  const given = Object.entries(fields ?? {}).filter(([, value]) => value !== '')
  const bytes = typeof body === 'string' ? Buffer.from(body) : (body ?? null)
  const command = requestCommand(code, new Map(given), bytes)
  return version === undefined ? command : { ...command, version }
}

function plain({ code, remark, extFields, body }: RemotingCommand): Omit<Said, 'name'> {
  const fields = Object.fromEntries([...(extFields ?? [])].toSorted(byText))
  return { code, remark, fields, body: body === null ? null : plainBody(Buffer.from(body)) }
}

function plainBody(body: Buffer): unknown {
  try {
    return sorted(parseJson(body))
  } catch {
    return body.toString()
  }
}

function sorted(value: JsonValue): unknown {
  if (Array.isArray(value)) return value.map(sorted).toSorted(byText)
  if (!(value instanceof Map)) return typeof value === 'bigint' ? String(value) : value
  const entries = [...value].map(([key, each]) => [key as string, sorted(each)])
  return Object.fromEntries(entries.toSorted(byText))
}

function byText(one: unknown, other: unknown): number {
  const [left, right] = [JSON.stringify(one), JSON.stringify(other)]
  return left < right ? -1 : left > right ? 1 : 0
}
