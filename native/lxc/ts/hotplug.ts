import type { Container, Options } from './container.js'
import { runProgram } from './program.js'
import { type Stage, stageArgument } from './stage.js'

/** A network link in the words of lxc.container.conf(5), without `lxc.net.N.`: `['type', 'veth']`. */
export type LinkWords = readonly (readonly [key: string, value: string])[]

/**
 * Gives a running container a network link more: `type` veth, whose `veth.pair` stays outside, macvlan, or phys, a link
 * of the host. All of it or nothing, also where it is cancelled; `ESRCH` where the container does not run, `EEXIST` where a name is taken.
 */
export async function addLink(container: Container, words: LinkWords, options: Options = {}): Promise<void> {
  const undo = () => removeLink(container, words).catch(() => {})
  await runWhole({ verb: 'link', container, args: linkArguments('add', words), undo }, options)
}

/**
 * Takes a network link away; one of the host is the host's again. A pair whose `veth.pair` is not known is found by its name in
 * the container. `ENODEV` where it is not there.
 */
export async function removeLink(container: Container, words: LinkWords): Promise<void> {
  await runProgram('link', container, linkArguments('remove', words), { signal: undefined })
}

/** Brings a network link up or down as `flags` say, and a pair whose `veth.pair` is known to the bridge that `link` names; it stays done where it is cancelled. */
export async function setLink(container: Container, words: LinkWords, options: Options = {}): Promise<void> {
  await runWhole({ verb: 'link', container, args: linkArguments('set', words) }, options)
}

/**
 * Mounts `stage` in a running container, on `target` there, which is made where it is missing. Links on the way are
 * followed as within the container.
 *
 * @param idmaps values of `lxc.idmap` that the owners are mapped by
 */
export async function addMount(
  container: Container,
  {
    target,
    stage,
    idmaps,
  }: { readonly target: string; readonly stage: Stage; readonly idmaps: readonly string[] },
  options: Options = {},
): Promise<void> {
  const maps = idmaps.flatMap((map) => ['--idmap', map])
  const args = [...maps, '--stage', stageArgument(stage), '--', 'add', target]
  const undo = () => removeMount(container, target, { lazily: true }).catch(() => {})
  await runWhole({ verb: 'mount', container, args, undo }, options)
}

/** Unmounts what is on `target` in a running container: `EBUSY` while it is in use, unless `lazily`. */
export async function removeMount(
  container: Container,
  target: string,
  { lazily }: { readonly lazily: boolean },
): Promise<void> {
  const args = ['--', lazily ? 'remove-lazily' : 'remove', target]
  await runProgram('mount', container, args, { signal: undefined })
}

/**
 * Runs a program that is soon done to its end, also where it is cancelled meanwhile: only what it has done is undone,
 * never what was there before.
 */
async function runWhole(
  {
    verb,
    container,
    args,
    undo,
  }: {
    readonly verb: string
    readonly container: Container
    readonly args: readonly string[]
    readonly undo?: () => Promise<void>
  },
  { signal }: Options,
): Promise<void> {
  signal?.throwIfAborted()
  await runProgram(verb, container, args, { signal: undefined })
  if (signal?.aborted) await undo?.()
  signal?.throwIfAborted()
}

function linkArguments(verb: string, words: LinkWords): string[] {
  return ['--', verb, ...words.map(([key, value]) => `${key}=${value}`)]
}
