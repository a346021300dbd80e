import type { SubscriptionData } from '../protocol/bodies/heartbeat.ts'
import { shown } from './topic-names.ts'

/** Two members that want different things, and what only the one wants. */
export interface Disagreement {
  one: { clientId: string; wants: string }
  other: { clientId: string; wants: string }
}

interface Said {
  clientId: string
  /** The same text is the same subscriptions, in whatever order they came. */
  text: string
}

/** As much of a difference as is told. */
const WANTS_MAX = 200

/**
 * What each member of a group says that it subscribes to. A group has one subscription, that of the
 * last heartbeat: members that differ take it away from each other, and messages are passed over that
 * one of them wanted. Nobody is told, with Apache's broker.
 */
export class SubscriptionAgreement {
  /** By connection. */
  readonly #said = new Map<number, Said>()
  /** How many say each text: as long as there is one, all agree. */
  readonly #counts = new Map<string, number>()

  put(peerId: number, clientId: string, list: readonly SubscriptionData[]): void {
    const text = textOf(list)
    const known = this.#said.get(peerId)
    if (known?.text === text && known.clientId === clientId) return
    this.remove(peerId)
    this.#said.set(peerId, { clientId, text })
    this.#counts.set(text, (this.#counts.get(text) ?? 0) + 1)
  }

  remove(peerId: number): void {
    const said = this.#said.get(peerId)
    if (said === undefined) return
    this.#said.delete(peerId)
    const left = this.#counts.get(said.text)! - 1
    if (left > 0) this.#counts.set(said.text, left)
    else this.#counts.delete(said.text)
  }

  /** The longest connected member and the first that differs from it; null: all want the same. */
  disagreement(): Disagreement | null {
    if (this.#counts.size <= 1) return null
    const clients = this.#newest()
    const [one] = clients
    const other = clients.find(({ text }) => text !== one!.text)
    return other === undefined ? null : differenceOf(one!, other)
  }

  /** What a client would disagree about with another one if it came; null: nothing. */
  against(clientId: string, list: readonly SubscriptionData[]): Disagreement | null {
    const text = textOf(list)
    const one = this.#newest().find((said) => said.clientId !== clientId && said.text !== text)
    return one === undefined ? null : differenceOf(one, { clientId, text })
  }

  /** A client that reconnects has two connections for a moment: the newer one counts. */
  #newest(): Said[] {
    const byClient = new Map<string, Said>()
    for (const said of this.#said.values()) byClient.set(said.clientId, said)
    return [...byClient.values()]
  }
}

/** One line for each topic. The group's retries are left out: clients differ in whether they name them. */
function textOf(list: readonly SubscriptionData[]): string {
  const own = list.filter(({ topic }) => !topic.startsWith('%RETRY%'))
  return own.map(lineOf).toSorted().join('\n')
}

function lineOf({ topic, expressionType, subString, tagsSet }: SubscriptionData): string {
  const type = expressionType === '' ? 'TAG' : expressionType
  if (type !== 'TAG') return `${topic} ${type} ${subString}`
  if (tagsSet.length > 0) return `${topic} ${tagsSet.toSorted().join(' || ')}`
  return `${topic} ${subString.trim() === '' ? '*' : subString.trim()}`
}

function differenceOf(one: Said, other: Said): Disagreement {
  const [lines, others] = [one.text.split('\n'), other.text.split('\n')]
  return { one: wanted(one.clientId, lines, others), other: wanted(other.clientId, others, lines) }
}

function wanted(clientId: string, own: readonly string[], others: readonly string[]) {
  const missing = new Set(others)
  const only = own.filter((line) => line !== '' && !missing.has(line)).join(', ')
  const wants = only === '' ? 'nothing else' : only.slice(0, WANTS_MAX)
  return { clientId: shown(clientId), wants }
}
