import { packetCodec } from './packet-codec.js'
import { int, opaque, string, struct, uint } from './xdr/index.js'

const maxDataBytes = 262_144

/** What one packet of a running program's stream says. The client sends the first four, both the last two, the server the rest. */
export type ExecPacket =
  | { readonly kind: 'stdin'; readonly data: Uint8Array }
  | { readonly kind: 'stdin-end' }
  | { readonly kind: 'resize'; readonly columns: number; readonly rows: number }
  | { readonly kind: 'kill'; readonly signal: string }
  | { readonly kind: 'stdout'; readonly data: Uint8Array }
  | { readonly kind: 'stderr'; readonly data: Uint8Array }
  | { readonly kind: 'stdout-end' }
  | { readonly kind: 'stderr-end' }
  | { readonly kind: 'exit'; readonly code: number }
  | { readonly kind: 'exit-signal'; readonly signal: string }
  /** Nobody reads this output, or the program does not read its input: send no more of it until `flow`. */
  | { readonly kind: 'hold'; readonly output: string }
  | { readonly kind: 'flow'; readonly output: string }

const data = struct({ data: opaque(maxDataBytes) })
const nothing = struct({})
const signal = struct({ signal: string })
const output = struct({ output: string })

/** One packet of a running program's stream. */
export const execPacket = packetCodec<ExecPacket>('a program', {
  stdin: data,
  'stdin-end': nothing,
  resize: struct({ columns: uint, rows: uint }),
  kill: signal,
  stdout: data,
  stderr: data,
  'stdout-end': nothing,
  'stderr-end': nothing,
  exit: struct({ code: int }),
  'exit-signal': signal,
  hold: output,
  flow: output,
})
