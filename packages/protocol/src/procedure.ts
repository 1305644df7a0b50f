import { type Codec, type Fields, type StructOf, struct } from './xdr/index.js'

/** A set of procedures that is numbered by itself. */
export interface Program {
  readonly name: string
  readonly number: number
  readonly version: number
}

/** libvirt's main program. */
export const remoteProgram: Program = { name: 'remote', number: 0x2000_8086, version: 1 }
/** What libvirt offers for QEMU alone. */
export const qemuProgram: Program = { name: 'qemu', number: 0x2000_8087, version: 1 }
/** What libvirt offers for LXC alone. */
export const lxcProgram: Program = { name: 'lxc', number: 0x0006_8000, version: 1 }
/** Signs of life. */
export const keepaliveProgram: Program = { name: 'keepalive', number: 0x6b65_6570, version: 1 }
/** What covirt offers beyond libvirt's protocol; only a server that has told so knows it. */
export const covirtProgram: Program = { name: 'covirt', number: 0x20c0_0001, version: 1 }

/**
 * Whether a procedure changes anything: what is `write` is refused on a read-only connection, as libvirt's
 * own library does it.
 */
export type Access = 'read' | 'write'

/** What a procedure has besides arguments and a result. */
export interface ProcedureTraits {
  /** A stream goes with it, from the client's point of view: `read` from the server, `write` to it, or both. */
  readonly stream?: 'read' | 'write' | 'both'
  /** File descriptors travel with the call or with its reply. */
  readonly descriptors?: 'call' | 'reply'
}

/** One procedure of the protocol: a value that carries its types, used by both ends. */
export interface Procedure<A = unknown, R = unknown> extends ProcedureTraits {
  readonly program: Program
  readonly number: number
  /** libvirt's name, without the prefix. */
  readonly name: string
  readonly access: Access
  readonly args: Codec<A>
  readonly result: Codec<R>
}

/** What a procedure is called with. */
export type ArgsOf<P> = P extends Procedure<infer A, unknown> ? A : never
/** What a procedure answers. */
export type ResultOf<P> = P extends Procedure<unknown, infer R> ? R : never

/** Something that is told without being asked. */
export interface Message<M = unknown> {
  readonly program: Program
  readonly number: number
  readonly name: string
  readonly body: Codec<M>
}

/** What a message carries. */
export type BodyOf<T> = T extends Message<infer M> ? M : never

/** Declares procedures of `program`. */
export function proceduresOf(program: Program) {
  return <A extends Fields, R extends Fields>(
    number: number,
    name: string,
    access: Access,
    args: A,
    result: R,
    traits: ProcedureTraits = {},
  ): Procedure<StructOf<A>, StructOf<R>> => ({
    program,
    number,
    name,
    access,
    args: struct(args),
    result: struct(result),
    ...traits,
  })
}

/** Declares messages of `program`. */
export function messagesOf(program: Program) {
  return <M extends Fields>(number: number, name: string, body: M): Message<StructOf<M>> => ({
    program,
    number,
    name,
    body: struct(body),
  })
}

/** Declares a procedure of libvirt's main program. */
export const procedure = proceduresOf(remoteProgram)
/** Declares a message of libvirt's main program. */
export const message = messagesOf(remoteProgram)
