import { existsSync, rmSync } from 'node:fs'
import { mkdir, readdir, readFile, readlink, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { type CallOptions, isVirError, type Logger, messageOf, VirError } from '@covirt/core'
import { linkDurably, removeDurably, temporaryPrefix, writeAtomically, writeDurably } from './atomic-file.js'
import type { DomainStatus, DomainStore, StoredDomain, StoredSnapshots } from './domain-store.js'

/** Where a {@link FileStore} keeps its files. */
export interface FileStoreDirectories {
  /** For `NAME.xml`, and `autostart/NAME.xml` as links to them. */
  readonly definitions: string
  /** For `NAME.json`, one for each active domain. */
  readonly statuses: string
  /** For `UUID.json`, one for each domain that has snapshots. */
  readonly snapshots: string
}

const renamingSuffix = '.renaming'

/** How many files are read at the same time: on a disk that is slow, one after the other takes long. */
const readsAtOnce = 16

/** Remembers domains in files laid out as libvirt's, each replaced as a whole. One process at a time. */
export class FileStore implements DomainStore {
  readonly #directories: FileStoreDirectories
  readonly #logger: Logger

  constructor(directories: FileStoreDirectories, logger: Logger) {
    this.#directories = directories
    this.#logger = logger
  }

  async load(): Promise<readonly StoredDomain[]> {
    await this.#changing('open', async () => {
      await mkdir(this.#autostartDirectory, { recursive: true, mode: 0o700 })
      await mkdir(this.#directories.statuses, { recursive: true, mode: 0o700 })
    })
    await this.#finishRenamings()
    const definitions = await this.#names(this.#directories.definitions, '.xml')
    const statuses = await this.#names(this.#directories.statuses, '.json')
    const autostarted = await this.#autostartedNames()
    for (const name of autostarted)
      if (!definitions.has(name)) await rm(this.#autostartLink(name), { force: true })
    const names = [...new Set([...definitions, ...statuses])]
    const found: (StoredDomain | undefined)[] = new Array(names.length)
    let next = 0
    const read = async () => {
      for (let index = next++; index < names.length; index = next++) {
        const name = names[index] as string
        const definition = definitions.has(name) ? await this.#read(this.#definitionFile(name)) : undefined
        const status = statuses.has(name) ? await this.#readStatus(name) : undefined
        if (definition === undefined && !status) continue
        const autostart = definition !== undefined && autostarted.has(name)
        found[index] = {
          name,
          autostart,
          ...(definition !== undefined && { definition }),
          ...(status && { status }),
        }
      }
    }
    await Promise.all(Array.from({ length: readsAtOnce }, read))
    return found.filter((each) => each !== undefined)
  }

  async saveDefinition(name: string, xml: string, options?: CallOptions): Promise<void> {
    await this.#changing(name, () =>
      writeDurably(this.#definitionFile(name), xml, { signal: options?.signal }),
    )
  }

  async removeDefinition(name: string): Promise<void> {
    await this.#changing(name, () => removeDurably(this.#definitionFile(name)))
    // A link that leads nowhere counts for nothing, and is removed at the next load if not here.
    await rm(this.#autostartLink(name), { force: true }).catch(() => {})
  }

  /** What is cut off is finished at the next load if the new definition is there, and else has not happened. */
  async renameDefinition(from: string, to: string, xml: string): Promise<void> {
    await this.#changing(from, async () => {
      await linkDurably(`${to}.xml`, this.#renaming(from))
      try {
        await writeDurably(this.#definitionFile(to), xml, {})
      } catch (error) {
        await rm(this.#renaming(from), { force: true })
        throw error
      }
      await this.#finishRenaming(from, to)
    })
  }

  async setAutostart(name: string, autostart: boolean): Promise<void> {
    await this.#changing(name, async () => {
      if (autostart) await linkDurably(join('..', `${name}.xml`), this.#autostartLink(name))
      else await removeDurably(this.#autostartLink(name))
    })
  }

  async saveStatus(status: DomainStatus): Promise<void> {
    await this.#changing(status.name, async () =>
      writeAtomically(this.#statusFile(status.name), JSON.stringify(status)),
    )
  }

  async removeStatus(name: string): Promise<void> {
    await this.#changing(name, async () => rmSync(this.#statusFile(name), { force: true }))
  }

  async loadSnapshots(uuid: string): Promise<StoredSnapshots | undefined> {
    const file = this.#snapshotFile(uuid)
    try {
      return JSON.parse(await readFile(file, 'utf8')) as StoredSnapshots
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw new VirError('INTERNAL_ERROR', `Cannot read ${file}: ${messageOf(cause)}`, {
        domain: 'CONF',
        cause,
        hint: 'It lists the snapshots of a domain: mend it, or move it away to do without them',
      })
    }
  }

  async saveSnapshots(uuid: string, snapshots: StoredSnapshots | undefined): Promise<void> {
    await this.#changing(uuid, async () => {
      const file = this.#snapshotFile(uuid)
      if (!snapshots) return removeDurably(file)
      await mkdir(this.#directories.snapshots, { recursive: true, mode: 0o700 })
      await writeDurably(file, JSON.stringify(snapshots), {})
    })
  }

  #snapshotFile(uuid: string): string {
    return join(this.#directories.snapshots, `${uuid}.json`)
  }

  async #finishRenaming(from: string, to: string): Promise<void> {
    if (await this.#isAutostarted(from)) {
      await linkDurably(join('..', `${to}.xml`), this.#autostartLink(to))
      await removeDurably(this.#autostartLink(from))
    }
    await removeDurably(this.#definitionFile(from))
    await rm(this.#renaming(from), { force: true })
  }

  async #finishRenamings(): Promise<void> {
    const { definitions } = this.#directories
    for (const entry of await readdir(definitions, { withFileTypes: true })) {
      if (!entry.isSymbolicLink() || !entry.name.endsWith(renamingSuffix)) continue
      const file = basename(await readlink(join(definitions, entry.name)))
      const from = entry.name.slice(0, -renamingSuffix.length)
      if (existsSync(join(definitions, file))) await this.#finishRenaming(from, file.slice(0, -'.xml'.length))
      else await rm(join(definitions, entry.name), { force: true })
    }
  }

  /** A link to the definition by the new name, which is there while one that has this name gets that. */
  #renaming(name: string): string {
    return join(this.#directories.definitions, `${name}${renamingSuffix}`)
  }

  get #autostartDirectory(): string {
    return join(this.#directories.definitions, 'autostart')
  }

  #autostartLink(name: string): string {
    return join(this.#autostartDirectory, `${name}.xml`)
  }

  #definitionFile(name: string): string {
    return join(this.#directories.definitions, `${name}.xml`)
  }

  #statusFile(name: string): string {
    return join(this.#directories.statuses, `${name}.json`)
  }

  /** The names of the files that end so; files of writes that were cut off are removed on the way. */
  async #names(directory: string, ending: string): Promise<ReadonlySet<string>> {
    const names = new Set<string>()
    for (const entry of await readdir(directory, { withFileTypes: true })) {
      if (entry.name.startsWith(temporaryPrefix)) await rm(join(directory, entry.name), { force: true })
      else if (entry.isFile() && entry.name.endsWith(ending)) names.add(entry.name.slice(0, -ending.length))
    }
    return names
  }

  /** Whether or not there is a domain of that name. */
  async #autostartedNames(): Promise<ReadonlySet<string>> {
    const links = await readdir(this.#autostartDirectory, { withFileTypes: true })
    const marks = links.filter((link) => link.isSymbolicLink() && link.name.endsWith('.xml'))
    return new Set(marks.map(({ name }) => name.slice(0, -'.xml'.length)))
  }

  async #isAutostarted(name: string): Promise<boolean> {
    return readlink(this.#autostartLink(name)).then(
      () => true,
      () => false,
    )
  }

  async #read(file: string): Promise<string | undefined> {
    try {
      return await readFile(file, 'utf8')
    } catch (error) {
      this.#logger.error('A file cannot be read and is left alone', { file, error: messageOf(error) })
      return undefined
    }
  }

  async #readStatus(name: string): Promise<DomainStatus | undefined> {
    const text = await this.#read(this.#statusFile(name))
    if (text === undefined) return undefined
    try {
      return JSON.parse(text) as DomainStatus
    } catch (error) {
      const file = this.#statusFile(name)
      this.#logger.error('A file is not JSON and is left alone', { file, error: messageOf(error) })
      return undefined
    }
  }

  async #changing(name: string, change: () => Promise<unknown>): Promise<void> {
    try {
      await change()
    } catch (cause) {
      if (isVirError(cause)) throw cause
      const code = (cause as NodeJS.ErrnoException).code
      throw new VirError('SYSTEM_ERROR', `Cannot store '${name}': ${messageOf(cause)}`, {
        domain: 'CONF',
        cause,
        hint:
          code === 'ENOSPC' || code === 'EDQUOT'
            ? `Free some space below ${this.#directories.definitions}, then try again; nothing was changed`
            : `See that this process may write below ${this.#directories.definitions}`,
      })
    }
  }
}
