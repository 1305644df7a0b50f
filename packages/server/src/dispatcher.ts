import type { Duplex } from 'node:stream'
import { type Driver, messageOf, VirError } from '@covirt/core'
import {
  type Codec,
  covirtMessages,
  decodeValue,
  encodeFrame,
  errorRecord,
  type Frame,
  type FrameHeader,
  frameStatuses,
  frameTypes,
  type Procedure,
  type ProcedureName,
  procedures,
  type XdrWriter,
} from '@covirt/protocol'
import { type AccessRole, roleNeeded } from './access/access-policy.js'
import type { RequireOptions } from './access/session-access.js'
import type { OwnedDescriptor } from './connected-descriptor.js'
import type { Call } from './handler.js'
import { handlers } from './handlers/index.js'
import type { Session } from './session.js'
import { unsupported } from './unsupported.js'

/** A procedure that can be called here. */
interface Route {
  readonly name: ProcedureName
  readonly procedure: Procedure
  readonly role: AccessRole
  /** Absent: answered with `NO_SUPPORT`. */
  readonly handle: ((call: Call, args: unknown) => unknown) | undefined
}

/** By program, then by number. */
const routes: ReadonlyMap<number, ReadonlyMap<number, Route>> = routesOf(procedures)

/** What a client may call before it is known. */
const logins: ReadonlySet<ProcedureName> = new Set([
  'authList',
  'authSaslInit',
  'authSaslStart',
  'authSaslStep',
  'connectClose',
])

/** What a client may call before it has opened its connection. */
const greetings: ReadonlySet<ProcedureName> = new Set([...logins, 'connectOpen', 'connectSupportsFeature'])

const cancel: Procedure = procedures.covirtCancel

/** Runs the call in `frame` and answers it, whatever happens. Never rejects. */
export async function runCall(session: Session, frame: Frame): Promise<void> {
  const call = new RunningCall(session, frame)
  try {
    const { name, procedure, role, handle } = routeOf(frame)
    if (!session.access.opened) checkGreeting(session, name)
    if (!handle) throw unsupported(procedure)
    const args = decodeValue(procedure.args, frame.payload)
    if (role !== 'read') session.access.require(role, procedure.name)
    call.name = procedure.name
    call.isQuestion = procedure.access === 'read' && name !== 'covirtCallService'
    const result = await handle(call, args)
    await call.answer(procedure.result, result)
  } catch (error) {
    call.fail(error)
  } finally {
    call.end()
  }
}

/** Throws where it is too early to call the procedure. */
function checkGreeting({ access }: Session, name: ProcedureName): void {
  if (!access.known && !logins.has(name))
    throw new VirError('AUTH_FAILED', 'You have to log in before anything else', { domain: 'AUTH' })
  if (!greetings.has(name)) void access.driver
}

/** Whether `frame` asks to cancel a call: that is done at once, whatever else waits. */
export function isCancel({ program, procedure }: Frame): boolean {
  return procedure === cancel.number && program === cancel.program.number
}

/** Cancels a call of the same client; nothing happens where it is over. */
export function runCancel(session: Session, frame: Frame): void {
  try {
    const { serial } = decodeValue(procedures.covirtCancel.args, frame.payload)
    session.cancellable.cancel(serial)
    session.sendFrame(answerHeader(frame, frameStatuses.ok))
  } catch (error) {
    sendError(session, frame, error)
  }
}

/** Answers a packet of a kind that there is not. */
export function sendUnexpected(session: Session, frame: Frame): void {
  sendError(session, frame, new VirError('RPC', `Unexpected message type ${frame.type}`, { domain: 'RPC' }))
}

class RunningCall implements Call {
  readonly session: Session
  name = ''
  /** Nothing that it has begun goes on when it is over. */
  isQuestion = false
  readonly #frame: Frame
  #controller: AbortController | undefined
  #stream: Duplex | undefined
  #owned: OwnedDescriptor | undefined
  #answered = false

  constructor(session: Session, frame: Frame) {
    this.session = session
    this.#frame = frame
  }

  get driver(): Driver {
    return this.session.driver
  }

  get options(): { readonly signal: AbortSignal } {
    // Made only where it is asked for: many calls are over at once.
    this.#controller ??= this.session.cancellable.begin(this.#frame.serial)
    return { signal: this.#controller.signal }
  }

  require(role: AccessRole, options?: RequireOptions): void {
    this.session.access.require(role, this.name, options)
  }

  openStream(stream: Duplex): void {
    this.#stream = stream
  }

  progress(value: string): void {
    if (!this.#answered) this.session.send(covirtMessages.progress, { serial: this.#frame.serial, value })
  }

  passDescriptor(owned: OwnedDescriptor): void {
    this.#owned = owned
  }

  /** Waits for nothing, but for a descriptor to be on its way. */
  answer(codec: Codec<unknown>, result: unknown): Promise<void> | undefined {
    const write = (writer: XdrWriter) => codec.encode(writer, result)
    const header = answerHeader(this.#frame, frameStatuses.ok)
    if (this.#owned) return this.#answerWith(this.#owned, header, write)
    const packet = encodeFrame(header, write)
    const stream = this.#stream && this.session.streams.open(this.#frame, this.#stream)
    this.#answered = true
    this.session.sendPacket(packet)
    stream?.start()
    return undefined
  }

  async #answerWith(
    { descriptor, release }: OwnedDescriptor,
    header: FrameHeader,
    write: (writer: XdrWriter) => void,
  ): Promise<void> {
    try {
      const packet = encodeFrame({ ...header, type: frameTypes.replyWithDescriptors }, write, 1)
      this.#answered = true
      await this.session.sendWithDescriptors(packet, [descriptor])
    } finally {
      release()
    }
  }

  fail(error: unknown): void {
    // A connection on which a descriptor could not be sent is over.
    if (this.#answered) return
    this.#stream?.destroy()
    if (!(error instanceof VirError))
      this.session.logger.error('A call has failed unexpectedly', {
        call: this.name,
        error: messageOf(error),
        cause: error,
      })
    sendError(this.session, this.#frame, error)
  }

  end(): void {
    if (this.#controller) this.session.cancellable.end(this.#frame.serial, this.#controller, this.isQuestion)
  }
}

function routeOf({ program, version, procedure, status }: Frame): Route {
  const numbers = routes.get(program)
  if (!numbers || version !== 1)
    throw new VirError('RPC', `Cannot find program ${program} version ${version}`, { domain: 'RPC' })
  if (status !== frameStatuses.ok)
    throw new VirError('RPC', `Unexpected message status ${status}`, { domain: 'RPC' })
  const route = numbers.get(procedure)
  if (route) return route
  throw new VirError('NO_SUPPORT', `unknown procedure: ${procedure}`, { domain: 'RPC' })
}

function sendError(session: Session, frame: Frame, error: unknown): void {
  session.sendFrame(answerHeader(frame, frameStatuses.error), (writer) => errorRecord.encode(writer, error))
}

function answerHeader({ program, version, procedure, serial }: Frame, status: number): FrameHeader {
  return { program, version, procedure, type: frameTypes.reply, serial, status }
}

function routesOf(all: Readonly<Record<string, Procedure>>): ReadonlyMap<number, ReadonlyMap<number, Route>> {
  const programs = new Map<number, Map<number, Route>>()
  for (const [key, procedure] of Object.entries(all)) {
    const name = key as ProcedureName
    const numbers = programs.get(procedure.program.number) ?? new Map<number, Route>()
    programs.set(procedure.program.number, numbers)
    const handle = handlers[name] as Route['handle']
    numbers.set(procedure.number, { name, procedure, role: roleNeeded(name, procedure), handle })
  }
  return programs
}
