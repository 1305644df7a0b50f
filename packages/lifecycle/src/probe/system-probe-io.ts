import { mkdir, readFile, rm } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { type CallOptions, type DomainRef, type Driver, requireRole, VirError } from '@covirt/core'
import type { ProbeIo } from './probe-io.js'

/** Probes guests as they really are. */
export class SystemProbeIo implements ProbeIo {
  readonly #driver: Driver
  readonly #notifyDirectory: string

  /** Sockets that guests tell on that they are ready are `UUID.notify` in `notifyDirectory`. */
  constructor(driver: Driver, notifyDirectory: string) {
    this.#driver = driver
    this.#notifyDirectory = notifyDirectory
  }

  connect(host: string, port: number, { signal }: CallOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, ...(signal && { signal }) })
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.destroy()
        resolve()
      })
    })
  }

  async httpStatus(url: string, { signal }: CallOptions): Promise<number> {
    const { protocol } = new URL(url)
    if (protocol !== 'http:' && protocol !== 'https:') {
      throw new VirError('CONFIG_UNSUPPORTED', `'${url}' is neither http nor https`)
    }
    const { request } = protocol === 'https:' ? await import('node:https') : await import('node:http')
    return new Promise((resolve, reject) => {
      const asked = request(url, { agent: false, ...(signal && { signal }) }, (response) => {
        response.destroy()
        resolve(response.statusCode ?? 0)
      })
      asked.once('error', reject)
      asked.end()
    })
  }

  async addresses(domain: DomainRef, options: CallOptions): Promise<readonly string[]> {
    const found = await requireRole(this.#driver, 'addresses').listInterfaceAddresses(domain, options)
    return found.flatMap(({ addresses }) => addresses.map(({ address }) => address)).filter(isReachable)
  }

  async initListens(domain: DomainRef, options: CallOptions): Promise<boolean> {
    const processes = await requireRole(this.#driver, 'processes').listProcesses(domain, options)
    const init = processes.find(({ innerPid }) => innerPid === 1)
    if (init?.pid === undefined) return false
    const waitsIn = await readFile(`/proc/${init.pid}/wchan`, 'utf8').catch(() => '')
    // While a process waits for signals with sigwaitinfo(2), the kernel shows them as not blocked.
    if (waitsIn.startsWith('do_sigtimedwait')) return true
    return listensForHalt(await readFile(`/proc/${init.pid}/status`, 'utf8'))
  }

  async notified({ uuid }: DomainRef, { signal }: CallOptions): Promise<void> {
    await mkdir(this.#notifyDirectory, { recursive: true, mode: 0o711 })
    const path = join(this.#notifyDirectory, `${uuid}.notify`)
    await rm(path, { force: true })
    await listenForReady(path, signal)
  }
}

const longestMessage = 4096

function listenForReady(path: string, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      let text = ''
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
      socket.setEncoding('utf8')
      socket.on('error', () => {})
      socket.on('data', (chunk: string) => {
        text += chunk
        if (/^READY=1$/m.test(text)) end(resolve)
        else if (text.length > longestMessage) socket.destroy()
      })
    })
    const onAbort = () => end(() => reject(signal?.reason))
    const end = (settle: () => void) => {
      signal?.removeEventListener('abort', onAbort)
      server.close()
      // A guest that holds on to one would hold us.
      for (const socket of sockets) socket.destroy()
      settle()
    }
    server.once('error', (error) => end(() => reject(error)))
    signal?.addEventListener('abort', onAbort, { once: true })
    if (signal?.aborted) onAbort()
    else server.listen(path)
  })
}

function isReachable(address: string): boolean {
  return !address.startsWith('127.') && address !== '::1' && !address.startsWith('fe80:')
}

/** SIGPWR, SIGRTMIN+3, SIGTERM, SIGUSR1 and SIGUSR2: what inits take for a request to go down. */
const haltSignals = [30, 37, 15, 10, 12].reduce((mask, signal) => mask | (1n << BigInt(signal - 1)), 0n)

/** Whether a process catches one of them, or blocks it to read it from a descriptor (proc_pid_status(5)). */
function listensForHalt(status: string): boolean {
  const mask = (name: string) =>
    BigInt(`0x${new RegExp(`^${name}:\\s*([0-9a-f]{1,16})$`, 'm').exec(status)?.[1] ?? '0'}`)
  return ((mask('SigCgt') | mask('SigBlk')) & haltSignals) !== 0n
}
