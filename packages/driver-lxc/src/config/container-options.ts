import { VirError } from '@covirt/core'
import {
  attributeOf,
  type DomainXml,
  elementsOf,
  metadataElement,
  textOf,
  type XmlElement,
} from '@covirt/xml'
import type { ConfigLine } from './config-lines.js'

/** The namespace of what containers have and libvirt's XML has no words for. */
export const containerNamespace = 'urn:covirt:lxc:1'

/** For what a container is made: a whole system with an init, or one program. */
const containerPresets = ['system', 'application'] as const

/** One of {@link containerPresets}. */
export type ContainerPreset = (typeof containerPresets)[number]

/** What a definition says in `<metadata>` below `<covirt:container xmlns:covirt='urn:covirt:lxc:1'>`. */
export interface ContainerOptions {
  /** `<privileged/>`: no user namespace; root inside is root outside, held by capabilities and the like alone. */
  readonly privileged: boolean
  /** `<preset>application</preset>`. */
  readonly preset: ContainerPreset
  /** `<pids max='100'/>`: how many processes it may have. */
  readonly maxProcesses: number | undefined
  /** `<time boot='3600' monotonic='-60'/>`: by how many seconds it sees other clocks than the host's (time_namespaces(7)). */
  readonly clockOffsets: ClockOffsets
  /** `<option name='lxc.…' value='…'/>`: keys of lxc.container.conf(5), as they are. */
  readonly options: readonly ConfigLine[]
}

/** In seconds. */
interface ClockOffsets {
  readonly boot?: number
  readonly monotonic?: number
}

const none: ContainerOptions = {
  privileged: false,
  preset: 'system',
  maxProcesses: undefined,
  clockOffsets: {},
  options: [],
}

/** What a definition says of its container. `XML_ERROR` for what is no option, `CONFIG_UNSUPPORTED` for keys of the driver's own. */
export function containerOptions(document: DomainXml): ContainerOptions {
  const element = metadataElement(document, containerNamespace)
  if (!element) return none
  if (localName(element) !== 'container')
    throw wrong(`<metadata> has <${element.name}>, where <container> is meant`)
  let found = none
  for (const child of elementsOf(element)) found = { ...found, ...readOption(child, found) }
  return found
}

function readOption(element: XmlElement, before: ContainerOptions): Partial<ContainerOptions> {
  const name = localName(element)
  switch (name) {
    case 'privileged':
      return { privileged: true }
    case 'preset':
      return { preset: readPreset(textOf(element).trim()) }
    case 'pids':
      return { maxProcesses: readCount('pids max', attributeOf(element, 'max')) }
    case 'time':
      return { clockOffsets: readOffsets(element) }
    case 'option':
      return { options: [...before.options, readKey(element)] }
    default:
      throw wrong(`<container> has no <${name}>`)
  }
}

function readPreset(text: string): ContainerPreset {
  const preset = containerPresets.find((each) => each === text)
  if (preset) return preset
  throw wrong(`There is no preset '${text}'`, `There are: ${containerPresets.join(', ')}`)
}

function readOffsets(element: XmlElement): ClockOffsets {
  const offsets: Record<string, number> = {}
  for (const clock of ['boot', 'monotonic']) {
    const text = attributeOf(element, clock)
    if (text === undefined) continue
    if (!/^-?\d{1,9}$/.test(text)) throw wrong(`<time ${clock}='${text}'> is not a number of seconds`)
    offsets[clock] = Number(text)
  }
  return offsets
}

function readCount(what: string, text = ''): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text)
  throw wrong(`<${what}='${text}'> is not a number from 1`)
}

/** What the driver itself sets, and relies on: it would lose its containers, or their protection, unseen. */
const ownKeys = [
  /^lxc\.(?:arch|console|ephemeral|execute|idmap|include|init|log|monitor|net|rootfs|signal|uts)(?:\.|$)/,
  /^lxc\.(?:cap|hook\.version|tty\.dir|cgroup\.(?:dir|relative)|namespace\.(?:clone|keep))(?:\.|$)/,
  /^lxc\.(?:namespace\.share\.(?:pid|user|mnt)|cgroup2?\.devices\.deny)$/,
]

/** Whether a key may not be given as an option. */
export function isOwnKey(key: string): boolean {
  return ownKeys.some((own) => own.test(key))
}

function readKey(element: XmlElement): ConfigLine {
  const name = attributeOf(element, 'name') ?? ''
  const value = attributeOf(element, 'value')
  if (!/^lxc(?:\.[A-Za-z0-9_-]{1,64}){1,8}$/.test(name))
    throw wrong(`<option name='${name}'> is not a key of lxc.container.conf(5)`)
  if (value === undefined) throw wrong(`<option name='${name}'> needs a value`)
  if (isOwnKey(name))
    throw new VirError('CONFIG_UNSUPPORTED', `The key ${name} is the LXC driver's own`, {
      domain: 'LXC',
      hint: 'Use the element of the definition that says it',
    })
  return [name, value]
}

function localName({ name }: XmlElement): string {
  return name.slice(name.indexOf(':') + 1)
}

function wrong(message: string, hint?: string): VirError {
  return new VirError('XML_ERROR', message, { domain: 'LXC', ...(hint === undefined ? {} : { hint }) })
}
