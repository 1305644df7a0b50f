/**
 * Serves the unix socket that it is told with answers that are made beforehand, in a process of its own, until its
 * input ends: a peer that takes next to no time, so that what is measured against it is the client.
 */
import { createServer } from 'node:net'
import {
  encodeFrame,
  FrameDecoder,
  frameStatuses,
  frameTypes,
  type Procedure,
  procedures,
} from '@covirt/protocol'

/** Where a packet has its serial number. */
const serialAt = 20

const domain = { name: 'test', uuid: '6695eb01-f6a4-8304-79aa-97f2502e193f', id: 1 }
const answers = new Map<number, Buffer>()
answer(procedures.authList, { types: [] })
answer(procedures.connectSupportsFeature, { supported: false })
answer(procedures.connectOpen, {})
answer(procedures.connectClose, {})
answer(procedures.connectGetType, { type: 'TEST' })
answer(procedures.connectDomainEventCallbackRegisterAny, { callbackId: 1 })
answer(procedures.domainLookupByName, { domain })
answer(procedures.domainGetState, { state: 1, reason: 1 })

const [path = ''] = process.argv.slice(2)
const listener = createServer((socket) => {
  const decoder = new FrameDecoder()
  socket.on('error', () => {})
  socket.on('data', (chunk) => {
    decoder.push(chunk)
    const replies: Buffer[] = []
    for (let call = decoder.next(); call; call = decoder.next()) {
      const canned = answers.get(call.procedure)
      if (!canned) throw new Error(`There is no answer to procedure ${call.procedure}`)
      const reply = Buffer.from(canned)
      reply.writeUInt32BE(call.serial, serialAt)
      replies.push(reply)
    }
    socket.write(Buffer.concat(replies))
  })
})
listener.listen(path, () => console.log('listening'))
process.stdin.resume().on('end', () => process.exit())

function answer<A, R>(procedure: Procedure<A, R>, result: R): void {
  const { program, number } = procedure
  const header = { program: program.number, version: program.version, procedure: number, serial: 0 }
  const canned = encodeFrame({ ...header, type: frameTypes.reply, status: frameStatuses.ok }, (writer) =>
    procedure.result.encode(writer, result),
  )
  answers.set(number, canned)
}
