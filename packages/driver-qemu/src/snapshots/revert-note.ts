import { mkdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { type DomainRef, VirError } from '@covirt/core'
import { type GuestPlaces, removeDurably, writeDurably } from '@covirt/local'
import { isObject } from '../qmp/qmp-message.js'
import { changeImage } from './qemu-img.js'

/** Which images go back to what. */
interface Revert {
  readonly tag: string
  readonly paths: readonly string[]
}

interface Whose {
  readonly domain: DomainRef
  readonly places: GuestPlaces
}

/** Notes that images are to go back to a snapshot: from now on they do, whenever this process dies. */
export async function noteRevert(whose: Whose, revert: Revert): Promise<void> {
  const file = noteOf(whose)
  await mkdir(dirname(file), { recursive: true })
  await writeDurably(file, JSON.stringify(revert), {})
}

/** Has the images go back that are noted; to be called before they are used. Does nothing where there are none. */
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
