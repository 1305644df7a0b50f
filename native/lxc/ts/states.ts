import { constants, mkdirSync, openSync, rmSync, statSync } from 'node:fs'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { binding } from './binding.js'
import { type LxcState, lxcStates } from './container.js'
import { toLxcError } from './lxc-error.js'

/** What a monitor says about its container. */
export type StateRecord =
  | { readonly type: 'state'; readonly name: string; readonly state: LxcState }
  | {
      readonly type: 'exit'
      readonly name: string
      /** How init ended, as wait(2) tells: 1 (SIGHUP) asked for a reboot, 2 (SIGINT) for power off, 9 was killed. */
      readonly status: number
    }

/** Ends a {@link watchStates}. */
export interface StateWatch extends Disposable {
  /** Keeps this watch from keeping the event loop alive. */
  unref(): void
  /** Idempotent. */
  close(): void
}

/** One record: int32 type, char name[256], int32 value. */
const RECORD_BYTES = 264
const NAME_OFFSET = 4
const VALUE_OFFSET = 260
const STATE = 0
const EXIT = 2

/**
 * Hears all changes of state of the containers below one lxcpath, from liblxc's FIFO for `lxc-monitord`. Nobody else
 * may read it: of two readers (a running `lxc-monitor` is one) each gets a part. Records are lost while nobody
 * listens: ask for the states once the watch stands.
 */
export function watchStates(path: string, onRecord: (record: StateRecord) => void): StateWatch {
  const directory = join(runDirectory(), 'lxc', path)
  const file = join(directory, 'monitor-fifo')
  try {
    const socket = new Socket({ fd: openFifo(directory, file), readable: true, writable: false })
    let rest: Buffer = Buffer.alloc(0)
    socket.on('data', (chunk: Buffer) => {
      const bytes = Buffer.concat([rest, chunk])
      const end = bytes.length - (bytes.length % RECORD_BYTES)
      for (let at = 0; at < end; at += RECORD_BYTES) {
        const record = parseRecord(bytes.subarray(at, at + RECORD_BYTES))
        if (record) onRecord(record)
      }
      rest = bytes.subarray(end)
    })
    const close = () => {
      if (socket.destroyed) return
      // In this order: a monitor that has just opened the FIFO may die of SIGPIPE once nobody reads.
      rmSync(file, { force: true })
      socket.destroy()
    }
    return { unref: () => void socket.unref(), close, [Symbol.dispose]: close }
  } catch (error) {
    throw toLxcError(error, 'watchStates')
  }
}

function openFifo(directory: string, file: string): number {
  mkdirSync(directory, { recursive: true })
  if (!statSync(file, { throwIfNoEntry: false })?.isFIFO()) binding().makeFifo(file, 0o600)
  // A writer of our own keeps the end of the last monitor from being the end of the file.
  return openSync(file, constants.O_RDWR | constants.O_NONBLOCK)
}

function runDirectory(): string {
  if (process.geteuid?.() === 0) return '/run'
  return process.env.XDG_RUNTIME_DIR ?? join(process.env.HOME ?? '/', '.cache')
}

function parseRecord(bytes: Buffer): StateRecord | undefined {
  const type = bytes.readInt32LE(0)
  const value = bytes.readInt32LE(VALUE_OFFSET)
  const text = bytes.toString('utf8', NAME_OFFSET, VALUE_OFFSET)
  const name = text.slice(0, text.indexOf('\0'))
  const state = lxcStates[value]
  if (type === STATE && state) return { type: 'state', name, state }
  if (type === EXIT) return { type: 'exit', name, status: value }
  return undefined
}
