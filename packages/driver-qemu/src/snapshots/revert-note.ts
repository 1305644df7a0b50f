import { mkdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type DomainRef, VirError } from '@covirt/core'
import { type GuestPlaces, removeDurably, writeDurably } from '@covirt/local'
import { isObject } from '../qmp/qmp-message.js'
import { changeImage, checkWritable } from './qemu-img.js'

/** Which images go back to what. */
interface Revert {
  readonly tag: string
  readonly paths: readonly string[]
}

interface Whose {
  readonly domain: DomainRef
  readonly places: GuestPlaces
}

/**
 * Has images go back to a snapshot: all of them, whenever this process dies, or none, now and later, where one of them
 * cannot be written to.
 */
export async function revertImages(whose: Whose, revert: Revert): Promise<void> {
  const { tag, paths } = revert
  for (const path of paths) await checkWritable(path)
  const file = noteOf(whose)
  await mkdir(dirname(file), { recursive: true })
  await writeDurably(file, JSON.stringify(revert), {})
  let isBegun = false
  try {
    for (const path of paths) {
      await changeImage('restore', path, tag)
      isBegun = true
    }
  } catch (error) {
    // The note would have it done by the next start, long after its user was told that it has failed.
    if (!isBegun) await removeDurably(file)
    throw error
  }
  await removeDurably(file)
}

/** Finishes what a process that died had begun; to be called before the images are used. Does nothing where that is nothing. */
export async function finishRevert(whose: Whose): Promise<void> {
  const file = noteOf(whose)
  const text = await readFile(file, 'utf8').catch(() => undefined)
  if (text === undefined) return
  const { tag, paths } = parse(text, whose)
  for (const path of paths) await changeImage('restore', path, tag)
  await removeDurably(file)
}

function noteOf({ domain, places }: Whose): string {
  return join(places.stateDirectory, 'reverting', `${domain.uuid}.json`)
}

function parse(text: string, { domain }: Whose): Revert {
  const note: unknown = JSON.parse(text)
  if (isObject(note) && typeof note.tag === 'string' && Array.isArray(note.paths))
    return { tag: note.tag, paths: note.paths.map(String) }
  throw new VirError('INTERNAL_ERROR', `What is noted of a revert of domain '${domain.name}' is damaged`, {
    domain: 'QEMU',
  })
}
