import type { Duplex } from 'node:stream'
import { ConsoleStream } from './console-stream.js'
import type { Container, Options } from './container.js'
import { monitorCall } from './monitor-call.js'
import { initPid } from './queries.js'

/** A terminal of a container, ours alone until it is closed. */
export interface LxcConsole {
  /** Its number: 0 is the console, 1 and up are `lxc.tty.max`. */
  readonly tty: number
  /**
   * What the container prints and reads. Ends when the container stops or reboots; ending it closes the console.
   * Output beyond 1 MiB that nobody reads is dropped; input waits until the container reads it.
   */
  readonly stream: Duplex
  /** Tells programs in the container how big the terminal is; nobody once it has ended. */
  resize(columns: number, rows: number): void
  /** Idempotent. */
  close(): void
}

/**
 * Opens a terminal of a running container: `tty` 0, the default, is its console, -1 the first free other one. `EBUSY`
 * where somebody has it already, `ESRCH` where the container does not run. Output from before is not seen; see
 * {@link consoleLog}.
 *
 * While tty 0 is open a reboot from inside stops the container instead: liblxc 5.0 fails to hand the console
 * on to the next boot. The container's exit status (see `watchStates`) still says that a reboot was asked for.
 */
export async function openConsole(
  container: Container,
  options: Options & { readonly tty?: number | undefined } = {},
): Promise<LxcConsole> {
  const opened = await monitorCall(
    'openConsole',
    container,
    (native, path, name) => native.openTty(path, name, options.tty ?? 0),
    options,
  )
  // At once: the monitor answers nothing more while output waits for a reader.
  const stream = new ConsoleStream(opened)
  if (opened.tty === 0) await followInput(stream, container)
  return {
    tty: opened.tty,
    stream,
    resize: (columns, rows) => stream.resize(columns, rows),
    close: () => stream.destroy(),
  }
}

async function followInput(stream: ConsoleStream, container: Container): Promise<void> {
  try {
    const pid = await initPid(container)
    if (pid !== undefined) stream.sendAsReadBy(pid)
  } catch (error) {
    stream.destroy()
    throw error
  }
}

/** The last output of the container's console, which it keeps where `lxc.console.buffer.size` is set. */
export function consoleLog(container: Container, options?: Options): Promise<Buffer> {
  return monitorCall('consoleLog', container, (native, path, name) => native.consoleLog(path, name), options)
}
