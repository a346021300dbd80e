import type { Peer } from '../net/handlers.ts'

/** Which connection belongs to which producing client: answers to its messages are sent there. */
export class ProducerChannels {
  /** Of each client, its connections by id, the newest last. */
  readonly #byClient = new Map<string, Map<number, Peer>>()
  readonly #clientOf = new Map<number, string>()

  /** The connection says in a heartbeat who it is. */
  add(clientId: string, peer: Peer): void {
    if (this.#clientOf.get(peer.id) === clientId) return
    this.remove(peer.id)
    this.#clientOf.set(peer.id, clientId)
    let peers = this.#byClient.get(clientId)
    if (peers === undefined) this.#byClient.set(clientId, (peers = new Map()))
    peers.set(peer.id, peer)
  }

  /** It produces no more, or is closed. */
  remove(peerId: number): void {
    const clientId = this.#clientOf.get(peerId)
    if (clientId === undefined) return
    this.#clientOf.delete(peerId)
    const peers = this.#byClient.get(clientId)!
    peers.delete(peerId)
    if (peers.size === 0) this.#byClient.delete(clientId)
  }

  /** The newest connection of a client; null when it has none. */
  of(clientId: string): Peer | null {
    return [...(this.#byClient.get(clientId)?.values() ?? [])].at(-1) ?? null
  }
}
