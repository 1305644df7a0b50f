import { randomUUID } from 'node:crypto'
import type { CallOptions } from '@covirt/core'
import type { DomainXml } from '@covirt/xml'
import { storedText } from './document-texts.js'
import type { ActiveGuest, DomainEntry } from './domain-entry.js'
import type { HeldGuest } from './domain-store.js'
import type { GuestBook } from './guest-book.js'
import type { GuestKeeperParts } from './guest-keeper.js'
import { FileImage, type ImagePlace } from './image-place.js'
import { formatImage, openSavedImage } from './saved-image.js'

/** As what, and where to, a guest is saved. */
export interface SaveTerms extends CallOptions {
  readonly place: ImagePlace
  /** Where that is, if it is not the domain's managed state. */
  readonly path?: string | undefined
  readonly restoreAs: 'running' | 'paused'
}

/** What guests are saved with. */
export interface SavingParts extends Pick<GuestKeeperParts, 'hypervisor' | 'places'> {
  readonly book: GuestBook
}

/** Within a job: saves the guest and ends it, or leaves it as it was. */
export async function saveGuest(
  entry: DomainEntry,
  active: ActiveGuest,
  { place, path, restoreAs, signal }: SaveTerms,
  { hypervisor, book }: SavingParts,
): Promise<void> {
  const { guest } = active
  if (!guest.save) throw new TypeError('The guest cannot be saved')
  const document = await savedDocumentOf(active, { signal })
  const before = entry.state
  const id = randomUUID()
  const header = { id, driver: hypervisor.type, xml: storedText(document), restoreAs }
  active.held = { resumes: before.state === 'running', image: { id, path } }
  entry.state = { state: 'paused', reason: 'save' }
  await book.saveStatus(entry)
  try {
    await guest.save((state) => place.write(formatImage(header, state), { signal }), { signal })
  } catch (error) {
    active.held = undefined
    entry.state = before
    await book.saveStatus(entry)
    throw error
  }
  await guest.kill()
  await book.stopped(entry, active, 'saved')
}

/** The document of a guest that is to go on from the state of this one. */
export async function savedDocumentOf(
  { guest, document }: ActiveGuest,
  options: CallOptions,
): Promise<DomainXml> {
  return guest.savedDocument ? guest.savedDocument(document, options) : document
}

/**
 * Within a job, with a guest that is found again whose task was cut off: ends it where that had saved it already, and
 * lets it go on otherwise. Resolves to whether it goes on.
 */
export async function settleHeld(
  entry: DomainEntry,
  active: ActiveGuest,
  held: HeldGuest,
  { places, book }: SavingParts,
): Promise<boolean> {
  const { guest } = active
  const place = placeOf(entry, held, places)
  if (place && (await holds(place, held.image?.id))) {
    await guest.kill()
    await book.stopped(entry, active, 'saved')
    return false
  }
  if (held.resumes && guest.phase === 'paused')
    await book.logged('Resuming a guest failed', entry, () => guest.resume({}))
  if (held.image)
    entry.state = held.resumes
      ? { state: 'running', reason: 'save-canceled' }
      : { state: 'paused', reason: 'user' }
  return true
}

/** Where a guest was being saved to. */
function placeOf(
  entry: DomainEntry,
  { image }: HeldGuest,
  places: SavingParts['places'],
): ImagePlace | undefined {
  if (!image) return undefined
  return image.path === undefined ? places.savedImage(entry.ref) : new FileImage(image.path)
}

async function holds(place: ImagePlace, id: string | undefined): Promise<boolean> {
  const saved = await openSavedImage(place).catch(() => undefined)
  await saved?.[Symbol.asyncDispose]()
  return saved !== undefined && saved.header.id === id
}
