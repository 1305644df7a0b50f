import { limits } from '@covirt/protocol'

/** What one client may cost, and how many there may be. */
export interface ServerLimits {
  readonly clients: number
  /** How many of them may be there that have to log in and have not done so. */
  readonly strangers: number
  /** Calls of one client that run at a time; more wait their turn. */
  readonly runningCalls: number
  /** Calls of one client that wait; then nothing more is read from it. */
  readonly waitingCalls: number
  /** Of waiting calls together, in bytes; then nothing more is read. */
  readonly waitingBytes: number
  /** Of one packet from a client, in bytes. */
  readonly frameBytes: number
  /** Of one packet from a client that has not opened its connection, in bytes. */
  readonly greetingBytes: number
  /** How much may wait to be taken by a client before no further call of it is begun, in bytes. */
  readonly answerBytes: number
  /** How much may wait to be taken by a client before it is cut off, in bytes: it does not read its events. */
  readonly unreadBytes: number
  /** Streams of one client that are open at a time. */
  readonly streams: number
  /** Registrations for events by one client. */
  readonly registrations: number
  /** How long a client may take until it has opened its connection, in milliseconds. */
  readonly greetingMs: number
  /** The same for a client that has to log in, as somebody may have to type a password. */
  readonly loginMs: number
  /** How long a client may leave what is sent to it untaken, in milliseconds. */
  readonly stalledMs: number
  /** How long a client may take to take what was sent to it when its connection ends, in milliseconds. */
  readonly leavingMs: number
  /** How long a client may be silent before it is asked for a sign of life, in milliseconds. */
  readonly keepaliveMs: number
  /** How many signs of life may be missing. */
  readonly keepaliveCount: number
}

/** What suits a host with many domains and as many users. */
export const defaultLimits: ServerLimits = {
  clients: 5000,
  strangers: 64,
  runningCalls: 64,
  waitingCalls: 1024,
  waitingBytes: 8_388_608,
  frameBytes: 2 * limits.stringBytes,
  greetingBytes: 262_144,
  answerBytes: 4_194_304,
  unreadBytes: 67_108_864,
  streams: 64,
  registrations: 1024,
  greetingMs: 30_000,
  loginMs: 120_000,
  stalledMs: 120_000,
  leavingMs: 5_000,
  keepaliveMs: 5_000,
  keepaliveCount: 5,
}
