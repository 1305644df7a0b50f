import { execFile } from 'node:child_process'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { promisify } from 'node:util'
import type { Arena, Contestant } from './contestant.js'
import { startDaemon } from './daemon.js'
import { unpackedPeers, withPeers } from './unpacked-peers.js'

const run = promisify(execFile)
const name = 'cv-bench'

/** It goes by what is given to root here. */
const script = `${withPeers}for place in subuid subgid; do mount --bind "$2" /etc/$place; done
exec lxd --group root
`

/** LXD 5.0, asked over its socket as its own client does: without the time that this client takes to start. */
export async function lxd({ rootfs, directory }: Arena): Promise<Contestant> {
  const usr = await unpackedPeers()
  const place = join(directory, 'lxd')
  await mkdir(place)
  const socket = join(place, 'unix.socket')
  const ids = join(directory, 'lxd-ids')
  await writeFile(ids, 'root:1000000:1000000000\n')
  const daemon = await startDaemon(script, {
    parameters: [usr, ids],
    socket,
    env: { LXD_DIR: place },
  })
  const api = new LxdApi(socket)
  try {
    await api.do('POST', '/1.0/storage-pools', { name: 'default', driver: 'dir' })
    const image = await readFile(await makeImage(rootfs, directory))
    const { fingerprint } = (await api.do('POST', '/1.0/images', image)) as { fingerprint: string }
    const devices = { root: { path: '/', pool: 'default', type: 'disk' } }
    await api.do('POST', '/1.0/instances', { name, devices, source: { type: 'image', fingerprint } })
  } catch (error) {
    await daemon[Symbol.asyncDispose]()
    throw error
  }
  const instance = `/1.0/instances/${name}`
  const change = (action: string) => api.do('PUT', `${instance}/state`, { action, timeout: 30, force: false })
  return {
    name: 'LXD',
    start: () => change('start'),
    stop: () => change('stop'),
    cycle: () => change('restart'),
    freeze: () => change('freeze'),
    thaw: () => change('unfreeze'),
    exec: (command) =>
      api.do('POST', `${instance}/exec`, { command, 'wait-for-websocket': false, interactive: false }),
    clone: (other) =>
      api.do('POST', '/1.0/instances', { name: other, source: { type: 'copy', source: name } }),
    removeClone: (other) => api.do('DELETE', `/1.0/instances/${other}`),
    snapshot: (snapshot) => api.do('POST', `${instance}/snapshots`, { name: snapshot }),
    removeSnapshot: (snapshot) => api.do('DELETE', `${instance}/snapshots/${snapshot}`),
    async [Symbol.asyncDispose]() {
      try {
        await api.do('PUT', `${instance}/state`, { action: 'stop', force: true }).catch(() => {})
        await api.do('DELETE', instance)
      } finally {
        api.close()
        await daemon[Symbol.asyncDispose]()
      }
    },
  }
}

/** An image as LXD wants it: what describes it, and the files below `rootfs`. */
async function makeImage(rootfs: string, directory: string): Promise<string> {
  const description = join(directory, 'image')
  const file = join(directory, 'image.tar')
  await mkdir(description)
  await writeFile(
    join(description, 'metadata.yaml'),
    'architecture: x86_64\ncreation_date: 1\nproperties: {description: bench, os: bench, release: "1"}\n',
  )
  await run('tar', ['-cf', file, '--numeric-owner', '-C', description, 'metadata.yaml'])
  const rename = 's,^\\.\\(/\\|$\\),rootfs\\1,'
  await run('tar', ['-rf', file, '--numeric-owner', '--transform', rename, '-C', rootfs, '.'])
  return file
}

/** What LXD answers at once, or about an operation. */
interface Answer {
  readonly type: 'sync' | 'async' | 'error'
  readonly error?: string
  readonly operation?: string
  readonly metadata?: { readonly status_code?: number; readonly err?: string; readonly metadata?: unknown }
}

/** Its interface (doc/rest-api.md of LXD). */
class LxdApi {
  readonly #agent = new Agent({ keepAlive: true })
  readonly #socket: string

  constructor(socket: string) {
    this.#socket = socket
  }

  /** Resolves once that is done, to what came of it. */
  async do(method: string, path: string, body?: unknown): Promise<unknown> {
    const answer = await this.#ask(method, path, body)
    const done = answer.type === 'async' ? await this.#ask('GET', `${answer.operation}/wait`) : answer
    const failure = done.error || (done.metadata?.status_code === 400 ? done.metadata.err : undefined)
    if (failure) throw new Error(`LXD: ${method} ${path}: ${failure}`)
    return done.metadata?.metadata
  }

  close(): void {
    this.#agent.destroy()
  }

  #ask(method: string, path: string, body?: unknown): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const call = request({ socketPath: this.#socket, agent: this.#agent, method, path }, (response) =>
        json(response).then((answer) => resolve(answer as Answer), reject),
      )
      call.once('error', reject)
      call.end(body === undefined || Buffer.isBuffer(body) ? body : JSON.stringify(body))
    })
  }
}
