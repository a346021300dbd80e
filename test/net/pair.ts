import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

import { systemClock } from '../../src/base/clock.ts'
import type { Connection, FrameHandler } from '../../src/net/connection.ts'
import { Connections, type ConnectionsOptions } from '../../src/net/connections.ts'
import { Listener } from '../../src/net/listener.ts'

/** A listener on a free port, its connections, and what happened on them. */
export interface Station {
  connections: Connections
  listener: Listener
  port: number
  /** Copies of all frames, in the order they came. */
  frames: Buffer[]
  /** Settles when `isTrue()` holds after some event. */
  until(isTrue: () => boolean): Promise<void>
  /** The connection that was accepted last. */
  last(): Connection
  peer(): Promise<Socket>
  stop(): Promise<void>
}

interface StationOptions extends Partial<ConnectionsOptions> {
  maxConnections?: number
  handler?: Partial<FrameHandler>
}

export async function openStation(options: StationOptions = {}): Promise<Station> {
  const { maxConnections = 100, handler = {}, ...rest } = options
  const connections = new Connections({ clock: systemClock, ...rest })
  const frames: Buffer[] = []
  const accepted: Connection[] = []
  const peers: Socket[] = []
  const watchers = new Set<() => void>()
  const happened = () => {
    for (const watcher of watchers) watcher()
  }
  const recording: FrameHandler = {
    onFrame(connection, bytes, start, end) {
      frames.push(Buffer.from(bytes.subarray(start, end)))
      handler.onFrame?.(connection, bytes, start, end)
      happened()
    },
    onClose(connection) {
      handler.onClose?.(connection)
      happened()
    },
    onDrain(connection) {
      handler.onDrain?.(connection)
      happened()
    },
  }
  const handlerFor = (connection: Connection) => {
    accepted.push(connection)
    queueMicrotask(happened)
    return recording
  }
  const listener = new Listener({ connections, handlerFor, maxConnections })
  const port = await listener.listen({ host: '127.0.0.1', port: 0 })
  const until = (isTrue: () => boolean) =>
    new Promise<void>((resolve) => {
      const look = () => {
        if (!isTrue()) return
        watchers.delete(look)
        resolve()
      }
      watchers.add(look)
      look()
    })
  return {
    connections,
    listener,
    port,
    frames,
    until,
    last: () => accepted.at(-1)!,
    async peer() {
      const count = accepted.length
      const socket = connect(port, '127.0.0.1')
      peers.push(socket)
      socket.on('error', () => undefined)
      await once(socket, 'connect')
      await until(() => accepted.length > count)
      return socket
    },
    async stop() {
      for (const peer of peers) peer.destroy()
      connections.closeAll('test over')
      await listener.close()
    },
  }
}
