import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { connect, type Server } from 'node:net'
import { afterEach, expect, test } from 'vitest'

import { systemClock } from '../../src/base/clock.ts'
import { Connections } from '../../src/net/connections.ts'
import { Listener } from '../../src/net/listener.ts'
import { frameOf } from './frames.ts'
import { openStation, type Station } from './pair.ts'

let station: Station
afterEach(() => station.stop())

function another(): Listener {
  const connections = new Connections({ clock: systemClock })
  const handlerFor = () => ({ onFrame: () => undefined, onClose: () => undefined })
  return new Listener({ connections, handlerFor, maxConnections: 1 })
}

test('a port in use is refused by number, with what to do', async () => {
  station = await openStation()
  const { port } = station
  await expect(another().listen({ host: '127.0.0.1', port })).rejects.toMatchObject({
    name: 'ListenError',
    code: 'EADDRINUSE',
    port,
    message: expect.stringMatching(`127.0.0.1:${port} is in use.*listenPort`) as string,
  })
})

test('an address of another machine is refused by name', async () => {
  station = await openStation()
  await expect(another().listen({ host: '192.0.2.1', port: 0 })).rejects.toThrow(/bindAddress/)
})

test('with reusePort two listeners share a port', async () => {
  station = await openStation()
  const first = another()
  const second = another()
  const port = await first.listen({ host: '127.0.0.1', port: 0, reusePort: true })
  expect(await second.listen({ host: '127.0.0.1', port, reusePort: true })).toBe(port)
  await Promise.all([first.close(), second.close()])
})

test('connections over the maximum are closed, those before them serve on', async () => {
  station = await openStation({ maxConnections: 1 })
  const peer = await station.peer()
  const surplus = connect(station.port, '127.0.0.1')
  surplus.on('error', () => undefined).resume()
  await once(surplus, 'close')
  expect(station.listener.refused).toBe(1)
  peer.write(frameOf(1))
  await station.until(() => station.frames.length === 1)
})

test('a closed listener lets its port go and leaves connections alone', async () => {
  station = await openStation()
  const peer = await station.peer()
  await station.listener.close()
  const next = another()
  expect(await next.listen({ host: '127.0.0.1', port: station.port })).toBe(station.port)
  await next.close()
  peer.write(frameOf(1))
  await station.until(() => station.frames.length === 1)
})

test('it listens on after connections that could not be accepted', async () => {
  let server: Server | undefined
  const onListen = (message: unknown) => ({ server } = message as { server: Server })
  subscribe('tracing:net.server.listen:asyncStart', onListen)
  station = await openStation()
  unsubscribe('tracing:net.server.listen:asyncStart', onListen)
  for (let nth = 0; nth < 3; nth++) server!.emit('error', new Error('accept EMFILE'))
  const peer = await station.peer()
  peer.write(frameOf(1))
  await station.until(() => station.frames.length === 1)
})
