import { createHash } from 'node:crypto'
import {
  type DomainInput,
  type DomainXml,
  formatDomain,
  parseDomain,
  readXml,
  withMetadata,
  type XmlElement,
} from '@covirt/xml'
import { containerNamespace } from '../config/container-options.js'
import { type Container, configItem } from '../native.js'

/** What the native configuration of a container says (lxc.container.conf(5)), as far as a definition can. */
export async function nativeDefinition(
  container: Container,
): Promise<{ readonly document: DomainXml & { readonly uuid: string }; readonly autostart: boolean }> {
  const value = async (key: string) => {
    const text = (await configItem(container, key))?.trim()
    return text === '' ? undefined : text
  }
  const [root, init, auto, idmap, memory, memory2] = await Promise.all([
    value('lxc.rootfs.path'),
    value('lxc.init.cmd'),
    value('lxc.start.auto'),
    value('lxc.idmap'),
    value('lxc.cgroup.memory.limit_in_bytes'),
    value('lxc.cgroup2.memory.max'),
  ])
  const uuid = uuidOf(container)
  const input: DomainInput = {
    type: 'lxc',
    name: container.name,
    uuid,
    memoryKib: memoryKib(memory ?? memory2) ?? 0n,
    vcpu: { count: 1 },
    os: { type: { type: 'exe' }, init: init?.split(' ')[0] ?? '/sbin/init' },
    devices: {
      filesystems: [{ type: 'mount', source: { dir: directoryOf(root) }, target: '/' }],
      interfaces: await interfacesOf(value),
      consoles: [{ type: 'pty' }],
    },
  }
  const plain = parseDomain(formatDomain(input))
  const document = idmap === undefined ? withMetadata(plain, containerNamespace, privileged()) : plain
  return { document: { ...document, uuid }, autostart: auto === '1' }
}

/** Says that the container has no user namespace. */
function privileged(): XmlElement {
  return readXml(`<container xmlns='${containerNamespace}'><privileged/></container>`).root
}

/** The same at each look, and no other container's. */
function uuidOf({ path, name }: Container): string {
  const digest = createHash('sha1').update(`covirt:lxc:${path}/${name}`).digest()
  // The bits by which RFC 4122 marks a uuid that was made of a name.
  digest.writeUInt8(((digest[6] ?? 0) & 0x0f) | 0x50, 6)
  digest.writeUInt8(((digest[8] ?? 0) & 0x3f) | 0x80, 8)
  return digest.toString('hex', 0, 16).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

/** Of a layered root that below which changes go. */
function directoryOf(root = '/'): string {
  const [, driver, rest = ''] = /^([a-z]+):(.*)$/.exec(root) ?? []
  if (driver === undefined) return root
  return rest.split(':').at(-1) ?? rest
}

type InterfaceInput = NonNullable<NonNullable<DomainInput['devices']>['interfaces']>[number]

async function interfacesOf(value: (key: string) => Promise<string | undefined>): Promise<InterfaceInput[]> {
  const found: InterfaceInput[] = []
  for (let index = 0; ; index++) {
    const [type, bridge, mac] = await Promise.all(
      ['type', 'link', 'hwaddr'].map((key) => value(`lxc.net.${index}.${key}`)),
    )
    if (type === undefined) return found
    if (type !== 'veth' || bridge === undefined) continue
    found.push({
      type: 'bridge',
      source: { bridge },
      ...(mac === undefined ? {} : { mac: { address: mac } }),
    })
  }
}

const unitBytes: Readonly<Record<string, bigint>> = {
  '': 1n,
  k: 1n << 10n,
  m: 1n << 20n,
  g: 1n << 30n,
  t: 1n << 40n,
}

function memoryKib(text: string | undefined): bigint | undefined {
  const [, digits, unit = ''] = /^(\d{1,18})([kmgt]?)$/i.exec(text ?? '') ?? []
  if (digits === undefined) return undefined
  return (BigInt(digits) * (unitBytes[unit.toLowerCase()] ?? 1n)) / 1024n
}
