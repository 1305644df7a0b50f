import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { Connection, parseConnectUri } from '@covirt/core'
import { remoteProvider } from '@covirt/driver-remote'
import {
  domainMessages,
  encodeFrame,
  FrameDecoder,
  frameStatuses,
  frameTypes,
  type Procedure,
  procedures,
} from '@covirt/protocol'
import { privateLibvirtd } from '../test/fixtures/private-libvirtd.js'
import { canRunLibvirtd } from '../test/fixtures/requirements.js'
import { tempRoot } from '../test/fixtures/temp-root.js'
import type { Benchmark } from './benchmark.js'
import { childServer } from './child-server.js'
import { pair, timed } from './measure.js'

const clients = 50
/** Each tells of two things. */
const turns = 100

export const wireFanOut: Benchmark = {
  name: 'wire-fan-out',
  about: `${turns * 2} events from one client's calls to ${clients} others; peer: libvirtd`,
  goal: { ratio: 1 },
  requires: canRunLibvirtd,
  run: async () => {
    await using directory = await tempRoot()
    const socket = directory.join('sock')
    await using peer = await privateLibvirtd({
      settings: ['max_clients = 100', 'max_anonymous_clients = 100'],
    })
    await using _ = await childServer('wire-server.ts', socket)
    const { oursMs, peerMs, ratio } = await pair(
      5,
      () => fanOut(socket),
      () => fanOut(peer.socket),
    )
    return { ms: oursMs, peerMs, ratio }
  },
}

/** How long it takes from the first call until the last client has heard of the last event, in milliseconds. */
async function fanOut(path: string): Promise<number> {
  const uri = parseConnectUri(`test+unix:///default?socket=${path}`)
  await using connection = new Connection(await remoteProvider.open(uri))
  const domain = await connection.domains.lookupByName('test')
  const listeners = await Promise.all(Array.from({ length: clients }, () => listen(path)))
  const ms = await timed(async () => {
    for (let turn = 0; turn < turns; turn++) {
      await domain.suspend()
      await domain.resume()
    }
    await Promise.all(listeners.map(({ heardAll }) => heardAll))
  })
  for (const { socket } of listeners) socket.destroy()
  return ms
}

/** A client that does nothing but count events: what is measured is who sends them. */
async function listen(path: string): Promise<{ readonly socket: Socket; readonly heardAll: Promise<void> }> {
  const socket = connect(path)
  await once(socket, 'connect')
  const decoder = new FrameDecoder()
  let events = 0
  let onReply = () => {}
  let onAll = () => {}
  const heardAll = new Promise<void>((resolve) => {
    onAll = resolve
  })
  socket.on('data', (chunk) => {
    decoder.push(chunk)
    for (let frame = decoder.next(); frame; frame = decoder.next()) {
      if (frame.status !== frameStatuses.ok) throw new Error(`Procedure ${frame.procedure} was refused`)
      if (frame.type === frameTypes.reply) onReply()
      else if (frame.procedure === domainMessages.lifecycle.number && ++events === turns * 2) onAll()
    }
  })
  const call = <A, R>(procedure: Procedure<A, R>, args: A) =>
    new Promise<void>((resolve) => {
      onReply = resolve
      socket.write(packet(procedure, args))
    })
  await call(procedures.authList, {})
  await call(procedures.connectOpen, { name: 'test:///default', flags: 0 })
  await call(procedures.connectDomainEventCallbackRegisterAny, { eventId: 0 })
  return { socket, heardAll }
}

function packet<A, R>(procedure: Procedure<A, R>, args: A): Buffer {
  const { program, number } = procedure
  const header = { program: program.number, version: program.version, procedure: number, serial: 0 }
  return encodeFrame({ ...header, type: frameTypes.call, status: frameStatuses.ok }, (writer) =>
    procedure.args.encode(writer, args),
  )
}
