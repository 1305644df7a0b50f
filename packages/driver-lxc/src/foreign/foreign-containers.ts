import { existsSync, type FSWatcher, watch } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { CallOptions } from '@covirt/core'
import type { AdoptSpec, ForeignDomain, ForeignDomains, Guest, GuestRecord, LaunchSpec } from '@covirt/local'
import type { DomainXml } from '@covirt/xml'
import { requireNoChanges } from '../config/from-native.js'
import { liveDocument } from '../config/live-document.js'
import { rootFilesystem } from '../config/mounts.js'
import { runningLinks } from '../guest/link-names.js'
import { LiveChanges } from '../guest/live-changes.js'
import { LxcGuest, type LxcGuestParts } from '../guest/lxc-guest.js'
import { StateHub } from '../guest/state-hub.js'
import type { HostFacts } from '../host/host-facts.js'
import { inspectHost } from '../host/inspect-host.js'
import { processIdentity } from '../host/processes.js'
import { toVirError } from '../lxc-errors.js'
import { beginMoves, type Container, initPid, LxcError, start, state, stop } from '../native.js'
import { nativeDefinition } from './native-definition.js'

const runningStates: ReadonlySet<string> = new Set(['STARTING', 'RUNNING', 'FROZEN', 'FREEZING', 'THAWED'])

/** The containers of one lxcpath that liblxc's own tools have made, each as its native configuration says. */
export class ForeignContainers implements ForeignDomains {
  readonly #path: string
  readonly #host: HostFacts
  readonly #states: StateHub
  readonly #directories = new Map<string, FSWatcher>()
  #listener: (name: string) => void = () => {}

  /** @param path an lxcpath that exists */
  constructor(path: string, host: HostFacts) {
    this.#host = host
    this.#path = path
    this.#states = new StateHub(path, (record) => {
      if (record.type === 'state' && record.state === 'RUNNING') this.#listener(record.name)
    })
  }

  async list(): Promise<readonly ForeignDomain[]> {
    const names = await this.#names()
    const found = await Promise.allSettled(names.map((name) => this.find(name)))
    return found.flatMap((each) => (each.status === 'fulfilled' && each.value ? [each.value] : []))
  }

  async find(name: string): Promise<ForeignDomain | undefined> {
    if (!isName(name) || !existsSync(join(this.#path, name, 'config'))) return undefined
    const container = this.#container(name)
    try {
      const [definition, now] = await Promise.all([nativeDefinition(container), state(container)])
      return { name, ...definition, active: runningStates.has(now) }
    } catch (error) {
      throw toVirError(error, `Reading the configuration of ${name}`)
    }
  }

  /** What it has changed of a template is not where changes of the driver's own are. */
  async checkRedefinition(name: string, document: DomainXml): Promise<void> {
    const config = await readFile(join(this.#path, name, 'config'), 'utf8').catch(() => '')
    if (rootFilesystem(document)?.type === 'template') requireNoChanges(config)
  }

  async watch(listener: (name: string) => void): Promise<void> {
    this.#listener = listener
    this.#watchDirectory('.', this.#path, (name) => {
      this.#follow(name)
      listener(name)
    })
    for (const name of await this.#names()) this.#follow(name)
  }

  async close(): Promise<void> {
    this.#listener = () => {}
    for (const watcher of this.#directories.values()) watcher.close()
    this.#directories.clear()
    await this.#states.close()
  }

  /** Starts it as its native configuration says. */
  async launch(spec: LaunchSpec, { signal }: CallOptions): Promise<Guest> {
    const { domain, paused } = spec
    const container = this.#container(domain.name)
    const moves = beginMoves()
    try {
      const parts = await this.#partsOf(spec)
      const started = await parts.start({ paused, signal })
      try {
        return await LxcGuest.attach(parts, { started: { initPid: started.initPid, paused }, signal })
      } catch (error) {
        await stop(container)
        throw error
      }
    } catch (error) {
      throw toVirError(error, `Starting ${domain.name}`, signal)
    } finally {
      await moves
    }
  }

  /** The guest, if it runs, whoever has started it; but not one that others have started anew since it was recorded. */
  async adopt(spec: AdoptSpec, { signal }: CallOptions): Promise<Guest | undefined> {
    const { record, domain } = spec
    try {
      if (record && !(await this.#isSameRun(record, domain.name))) return undefined
      return await LxcGuest.attach(await this.#partsOf(spec), { record, signal })
    } catch (error) {
      if (error instanceof LxcError && error.code === 'ESRCH') return undefined
      throw toVirError(error, `Finding ${spec.domain.name}`, signal)
    }
  }

  async kill({ domain }: AdoptSpec): Promise<void> {
    try {
      await stop(this.#container(domain.name))
    } catch (error) {
      throw toVirError(error, `Ending ${domain.name}`)
    }
  }

  /** A container that restarts by itself keeps its monitor. */
  async #isSameRun({ monitorPid, monitorStart }: GuestRecord, name: string): Promise<boolean> {
    const pid = await initPid(this.#container(name))
    const parent = pid === undefined ? undefined : processIdentity(pid)?.parent
    // The record may be older than this boot of the host.
    return (
      parent !== undefined && parent === monitorPid && processIdentity(parent)?.startTicks === monitorStart
    )
  }

  async #partsOf(spec: LaunchSpec | AdoptSpec): Promise<LxcGuestParts> {
    const { domain, document, sink, clock, logger, places } = spec
    const changes = 'record' in spec ? spec.record?.changes : undefined
    const init = await inspectHost(document).then(
      (found) => found.init,
      () => 'unknown' as const,
    )
    const logFile = join(places.runDirectory, 'liblxc.log')
    const holdFile = join(places.runDirectory, 'held')
    const imagesDirectory = join(places.runDirectory, 'images')
    const container = this.#container(domain.name)
    return {
      name: domain.name,
      container,
      changes: new LiveChanges({
        container,
        document: liveNative(document),
        host: this.#host,
        links: () => runningLinks(container),
        ownIds: false,
        logger,
        record: typeof changes === 'string' ? changes : undefined,
      }),
      init,
      firstId: undefined,
      start: (options) => start(container, { ...options, logFile, logLevel: 'WARN' }),
      states: this.#states,
      ...{ sink, clock, logger, holdFile, imagesDirectory, consoleLog: places.logFile },
      isForeign: true,
    }
  }

  #container(name: string): Container {
    return { path: this.#path, name }
  }

  async #names(): Promise<readonly string[]> {
    const entries = await readdir(this.#path, { withFileTypes: true })
    return entries.flatMap((entry) => (entry.isDirectory() && isName(entry.name) ? [entry.name] : []))
  }

  /** Its configuration is written after its directory is made, and may be changed later. */
  #follow(name: string): void {
    if (!isName(name)) return
    this.#directories.get(name)?.close()
    this.#directories.delete(name)
    try {
      this.#watchDirectory(name, join(this.#path, name), (file) => {
        if (file === 'config') this.#listener(name)
      })
    } catch {
      // It is gone, or no directory, or the system watches no more: it is looked at when it starts or ends all the same.
    }
  }

  #watchDirectory(key: string, directory: string, onChange: (file: string) => void): void {
    const watcher = watch(directory, { persistent: false }, (_, file) => onChange(file ?? ''))
    // It has gone; the directory above tells of that.
    watcher.on('error', () => watcher.close())
    this.#directories.set(key, watcher)
  }
}

/** The names of its links on the host are liblxc's to choose. */
function liveNative(document: DomainXml): DomainXml {
  const live = liveDocument(document, undefined)
  const { interfaces } = document.devices
  const named = interfaces.map((link, index) => ({ ...link, alias: live.devices.interfaces[index]?.alias }))
  return { ...live, devices: { ...live.devices, interfaces: named } }
}

/** What both liblxc and a store take; a directory of another name is no container. */
function isName(name: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(name)
}
