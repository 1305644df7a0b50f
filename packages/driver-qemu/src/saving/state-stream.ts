import { rm } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { abortable, type CallOptions, type Clock } from '@covirt/core'
import { connectUnix, listenUnix } from '../process/unix-socket.js'
import type { QmpChannel } from '../qmp/qmp-channel.js'
import { cancelMigration, migrationCompleted } from './migration.js'

/** What QEMU's state goes through; in its run directory, in which it works. */
const stateSocket = 'state.sock'
/** As fast as can be; by default QEMU holds back, for the sake of networks. */
const unlimited = Number.MAX_SAFE_INTEGER

/** Whose state, and where sockets may be. */
export interface StateOwner {
  readonly monitor: QmpChannel
  readonly runDirectory: string
  readonly clock: Clock
}

/**
 * Hands the state of a stopped guest to `write`. On rejection, its own or that of `write`, QEMU is as before. QEMU,
 * which is let at no file but its disks, writes to a socket of ours.
 */
export async function writeState(
  { monitor, runDirectory, clock }: StateOwner,
  write: (state: AsyncIterable<Uint8Array>) => Promise<void>,
  { signal }: CallOptions,
): Promise<void> {
  await using listener = await listenUnix(runDirectory, stateSocket)
  await monitor.execute('migrate-set-parameters', { 'max-bandwidth': unlimited }, { signal })
  await monitor.execute('migrate', { uri: `unix:${stateSocket}` }, { signal })
  const failed = new AbortController()
  let socket: Socket | undefined
  try {
    // QEMU connects at once or fails; `completed` before anything was read cannot be.
    const refused = migrationCompleted(monitor, { clock, signal: failed.signal })
    refused.catch(() => {})
    socket = await abortable(
      Promise.race([listener.connection, refused.then(() => listener.connection)]),
      signal,
    )
    failed.abort()
    await write(whole(socket, () => migrationCompleted(monitor, { clock, signal })))
  } catch (error) {
    failed.abort()
    // QEMU may not get to its being cancelled while it waits for what it has written to be read.
    socket?.destroy()
    // One that has died meanwhile tells so by itself.
    await cancelMigration(monitor, clock).catch(() => {})
    throw error
  }
}

/** All that comes from `socket`; it ends well only after `check` has resolved. */
async function* whole(socket: Readable, check: () => Promise<void>): AsyncGenerator<Uint8Array> {
  for await (const chunk of socket) yield chunk
  await check()
}

/** Gives `state` to a QEMU that was started to wait for it. The guest is paused then. */
export async function readState(
  { monitor, runDirectory, clock }: StateOwner,
  state: AsyncIterable<Uint8Array>,
  options: CallOptions,
): Promise<void> {
  await monitor.execute('migrate-incoming', { uri: `unix:${stateSocket}` }, options)
  try {
    const socket = await connectUnix(runDirectory, stateSocket)
    // A QEMU that cannot use the state may hang up once all of it is written, when nobody listens to that any more.
    socket.on('error', () => {})
    await pipeline(Readable.from(state, { objectMode: false }), socket, options)
    await migrationCompleted(monitor, { clock, signal: options.signal })
  } finally {
    await rm(join(runDirectory, stateSocket), { force: true })
  }
}
