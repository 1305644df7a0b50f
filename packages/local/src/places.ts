import { mkdirSync } from 'node:fs'
import { readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { DomainRef } from '@covirt/core'
import { temporaryPrefix } from './atomic-file.js'
import type { GuestPlaces } from './hypervisor.js'
import { asideSuffix, FileImage, type ManagedImage, MemoryImage } from './image-place.js'

/** Who makes and clears the places that domains keep things in. */
export interface PlaceKeeper {
  of(domain: DomainRef): GuestPlaces
  /** Makes the directories, before a launch. */
  prepare(places: GuestPlaces): Promise<void>
  /** Moves what goes by the name of a domain to its new one: logs, older ones too. */
  rename(from: GuestPlaces, to: GuestPlaces): Promise<void>
  /** Removes what belongs to one run of the guest. */
  clear(places: GuestPlaces): Promise<void>
  /** Where the managed state of a domain is kept; it goes by the uuid. */
  savedImage(domain: DomainRef): ManagedImage
  /** Once all guests have been found again: removes what tasks that were cut off have left. */
  tidy(): Promise<void>
}

/** Where a {@link FilePlaces} has its directories, all of one driver. */
export interface PlaceDirectories {
  readonly run: string
  readonly state: string
  readonly log: string
}

/** Places on disk: `RUN/UUID/`, `STATE/`, `STATE/save/UUID.save`, `LOG/NAME.log`. */
export class FilePlaces implements PlaceKeeper {
  readonly #directories: PlaceDirectories
  /** Whether those that all guests share are there. */
  #shared = false

  constructor(directories: PlaceDirectories) {
    this.#directories = directories
  }

  of({ uuid, name }: DomainRef): GuestPlaces {
    return {
      runDirectory: join(this.#directories.run, uuid),
      stateDirectory: this.#directories.state,
      logFile: join(this.#directories.log, `${name}.log`),
    }
  }

  /** On the spot: these take microseconds, a trip to the thread pool many times as long. */
  async prepare({ runDirectory, stateDirectory, logFile }: GuestPlaces): Promise<void> {
    mkdirSync(runDirectory, { recursive: true, mode: 0o711 })
    if (this.#shared) return
    mkdirSync(stateDirectory, { recursive: true, mode: 0o711 })
    mkdirSync(dirname(logFile), { recursive: true, mode: 0o700 })
    this.#shared = true
  }

  async rename(from: GuestPlaces, to: GuestPlaces): Promise<void> {
    const directory = dirname(from.logFile)
    const name = basename(from.logFile)
    for (const file of await readdir(directory).catch(() => []))
      if (file === name || /^\.\d+$/.test(file.startsWith(name) ? file.slice(name.length) : ''))
        await rename(join(directory, file), `${to.logFile}${file.slice(name.length)}`)
  }

  async clear({ runDirectory }: GuestPlaces): Promise<void> {
    await rm(runDirectory, { recursive: true, force: true })
  }

  savedImage({ uuid }: DomainRef): ManagedImage {
    return new FileImage(join(this.#savedDirectory, `${uuid}.save`), { makesDirectory: true })
  }

  async tidy(): Promise<void> {
    for (const name of await readdir(this.#savedDirectory).catch(() => []))
      if (name.startsWith(temporaryPrefix) || name.endsWith(asideSuffix))
        await rm(join(this.#savedDirectory, name), { force: true })
  }

  get #savedDirectory(): string {
    return join(this.#directories.state, 'save')
  }
}

/** Places for guests that keep nothing on disk; managed states are kept in memory as long as the object lives. */
export class MemoryPlaces implements PlaceKeeper {
  readonly #images = new Map<string, MemoryImage>()

  of(): GuestPlaces {
    return { runDirectory: '/nonexistent', stateDirectory: '/nonexistent', logFile: '/dev/null' }
  }

  async prepare(): Promise<void> {}
  async rename(): Promise<void> {}
  async clear(): Promise<void> {}
  async tidy(): Promise<void> {}

  savedImage({ uuid }: DomainRef): ManagedImage {
    const image = this.#images.get(uuid) ?? new MemoryImage()
    this.#images.set(uuid, image)
    return image
  }
}
