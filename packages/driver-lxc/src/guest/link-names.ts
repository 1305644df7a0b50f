import { type DomainXml, devicesOf, withDevices } from '@covirt/xml'
import type { ConfigLine } from '../config/config-lines.js'
import type { LinkNames } from '../config/network.js'
import { type Container, runningConfigItem } from '../native.js'
import { isSamePlug, keyOf, type Plug, type Plugs, wordOf } from './plugs.js'

/** A pair or a macvlan link as liblxc has made it, or a link of the host. */
export interface RunningLink extends LinkNames {
  readonly type: string
  /** Of a link of the host: its name there. */
  readonly link?: string | undefined
  readonly mac: string | undefined
}

/** lxc.container.conf(5) has no limit; its tools count up by one. */
const maxLinks = 1000

/** The links of a container that runs, in the order of its configuration. */
export async function runningLinks(container: Container): Promise<readonly RunningLink[]> {
  const types = (await runningConfigItem(container, 'lxc.net'))?.split('\n').filter(Boolean) ?? []
  const links: RunningLink[] = []
  for (let number = 0, seen = 0; seen < types.length && number < maxLinks; number++) {
    const item = (key: string) => runningConfigItem(container, `lxc.net.${number}.${key}`)
    const type = await item('type')
    if (type === undefined) continue
    seen++
    if (type !== 'veth' && type !== 'macvlan' && type !== 'phys') continue
    const pair = type === 'veth' ? await item('veth.pair') : undefined
    const link = type === 'phys' ? await item('link') : undefined
    links.push({ type, link, name: await item('name'), pair, mac: await item('hwaddr') })
  }
  return links
}

/** The devices of a container: what it boots with, what it has, and both as its document has it. */
export interface PluggedDocument {
  readonly document: DomainXml
  readonly launched: Plugs
  readonly plugs: Plugs
}

/**
 * With the names that the links it boots with have now. They have none where these are others than those: a link that is
 * only guessed could be another one.
 */
export function nameLinks(
  { document, launched, plugs }: PluggedDocument,
  running: readonly RunningLink[],
): PluggedDocument {
  const booted = [...launched].flatMap(([key, plug]): (readonly [string, Words])[] =>
    plug.kind === 'link' ? [[key, plug.words]] : [],
  )
  const names = new Map([...namesOfMade(booted, running), ...namesOfGiven(booted, running)])
  // A link that it was given later may have the alias of one that it has lost.
  const stays = (key: string) => {
    const [old, now] = [launched.get(key), plugs.get(key)]
    return names.has(key) && old !== undefined && now !== undefined && isSamePlug(old, now)
  }
  const renamed = ([key, plug]: readonly [string, Plug]): readonly [string, Plug] =>
    plug.kind === 'link' ? [key, { ...plug, words: withNames(plug.words, names.get(key)) }] : [key, plug]
  const links = devicesOf(document, 'interfaces').map((link) => {
    const key = keyOf('interfaces', link)
    if (!stays(key)) return link
    const { name, pair } = names.get(key) ?? {}
    return {
      ...link,
      guest: name === undefined ? undefined : { dev: name },
      target: pair === undefined ? undefined : { dev: pair },
    }
  })
  return {
    document: withDevices(document, 'interfaces', links),
    plugs: new Map([...plugs].map((each) => (stays(each[0]) ? renamed(each) : each))),
    launched: new Map([...launched].map((each) => (names.has(each[0]) ? renamed(each) : each))),
  }
}

type Words = readonly ConfigLine[]
type Booted = readonly (readonly [key: string, words: Words])[]

/** Of links that liblxc has made: they are told by their order. */
function namesOfMade(booted: Booted, running: readonly RunningLink[]): [string, RunningLink | undefined][] {
  const [ours, theirs] = [
    booted.filter(([, words]) => wordOf(words, 'type') !== 'phys'),
    running.filter(({ type }) => type !== 'phys'),
  ]
  const isSure =
    ours.length === theirs.length && ours.every(([, words], index) => isLike(words, theirs[index]))
  return ours.map(([key], index) => [key, isSure ? theirs[index] : undefined])
}

/** Of links of the host: they are told by their names there. */
function namesOfGiven(booted: Booted, running: readonly RunningLink[]): [string, RunningLink | undefined][] {
  const given = booted.filter(([, words]) => wordOf(words, 'type') === 'phys')
  return given.map(([key, words]) => [
    key,
    running.find(({ type, link }) => type === 'phys' && link === wordOf(words, 'link')),
  ])
}

/** Its names are not looked at: liblxc chooses them anew. */
function isLike(words: Words, link: RunningLink | undefined): boolean {
  if (link?.type !== wordOf(words, 'type')) return false
  const mac = wordOf(words, 'hwaddr').toLowerCase()
  return mac === '' || link.mac === undefined || mac === link.mac.toLowerCase()
}

function withNames(words: Words, { name, pair }: Partial<LinkNames> = {}): Words {
  return [
    ...words.filter(([key]) => key !== 'name' && key !== 'veth.pair'),
    ...(name === undefined ? [] : [['name', name] as const]),
    ...(pair === undefined ? [] : [['veth.pair', pair] as const]),
  ]
}
