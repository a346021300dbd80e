import type { Peer } from '../../src/net/handlers.ts'
import type { RemotingCommand } from '../../src/protocol/remoting-command.ts'

let nextId = 1

/** A connection that keeps what it is sent. */
export class MemoryPeer implements Peer {
  readonly id = nextId++
  readonly address = `127.0.0.1:${40_000 + this.id}`
  readonly host = Uint8Array.of(127, 0, 0, 1)
  readonly sent: RemotingCommand[] = []
  closedFor: string | null = null

  send(command: RemotingCommand): void {
    this.sent.push(command)
  }

  close(reason: string): void {
    this.closedFor = reason
  }
}
