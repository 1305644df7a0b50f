import { isIP } from 'node:net'
import { machine } from 'node:os'
import { VirError } from '@covirt/core'
import type { DomainXml, FilesystemXml, InterfaceXml } from '@covirt/xml'
import { expandCpuset } from '../host/cpuset.js'
import { formatConfig } from './config-lines.js'
import { containerOptions } from './container-options.js'
import { hostDevices } from './host-devices.js'
import { hasIdmap, idmapMistake } from './idmap.js'
import { defaultInit, initLines } from './init.js'
import { changesDirectory, mountLines, rootFilesystem, sourcePath } from './mounts.js'
import { generatedMac, hostLinks, networkLines } from './network.js'
import { findRefusal } from './refusals.js'
import { routeMistake } from './routes.js'

/** The only machine of containers. There is none in truth, but some clients (Cockpit) list nobody who has none. */
export const containerMachine = 'lxc'

/**
 * A definition with this driver's defaults filled in: architecture, machine, init, console, MAC addresses. `CONFIG_UNSUPPORTED` for
 * what containers cannot have, `XML_ERROR` for what makes no sense. Preparing twice is preparing once.
 */
export function prepareDocument(document: DomainXml): DomainXml {
  const refusal = findRefusal(document)
  if (refusal) {
    throw new VirError('CONFIG_UNSUPPORTED', `The LXC driver has no <${refusal.element}>`, {
      domain: 'LXC',
      ...(refusal.hint === undefined ? {} : { hint: refusal.hint }),
    })
  }
  checkValues(document)
  const prepared = withDefaults(document)
  // What a configuration cannot say is found here; what depends on the host is not in these lines.
  formatConfig([
    ...initLines(prepared),
    ...mountLines(prepared),
    ...networkLines(prepared),
    ...containerOptions(prepared).options,
  ])
  return prepared
}

function withDefaults(document: DomainXml): DomainXml {
  const { os, devices } = document
  const isComplete =
    os.type?.arch !== undefined &&
    os.type.machine !== undefined &&
    os.init !== undefined &&
    devices.consoles.length > 0 &&
    devices.interfaces.every(({ mac }) => mac?.address !== undefined)
  if (isComplete) return document
  return {
    ...document,
    os: {
      ...os,
      type: { type: 'exe', arch: machine(), machine: containerMachine, ...os.type },
      init: os.init ?? defaultInit,
    },
    devices: {
      ...devices,
      consoles:
        devices.consoles.length > 0 ? devices.consoles : [{ type: 'pty', target: { type: 'lxc', port: 0 } }],
      interfaces: withMacs(document),
    },
  }
}

/** Those that have none get one that no other of the domain's has. */
function withMacs(document: DomainXml): readonly InterfaceXml[] {
  const { interfaces } = document.devices
  const taken = new Set(interfaces.map(({ mac }) => mac?.address))
  return interfaces.map((each, index) => {
    if (each.mac?.address !== undefined) return each
    let number = index
    while (taken.has(generatedMac(document, number))) number++
    const address = generatedMac(document, number)
    taken.add(address)
    return { ...each, mac: { ...each.mac, address } }
  })
}

function checkValues(document: DomainXml): void {
  const { memoryKib, os, devices, vcpu, cputune, memtune, numatune, blkiotune } = document
  if (memoryKib === undefined || memoryKib === 0n)
    refuse('<memory> is missing', "Add <memory unit='MiB'>256</memory>")
  if (os.init !== undefined && !isCleanPath(os.init)) refuse(`<init> ${os.init} must be an absolute path`)
  if (os.initDir !== undefined && !isCleanPath(os.initDir))
    refuse(`<initdir> ${os.initDir} must be an absolute path`)
  if (vcpu?.cpuset !== undefined && expandCpuset(vcpu.cpuset) === undefined)
    refuse(`<vcpu cpuset='${vcpu.cpuset}'> names no processors`, "Write it as '0-3,^2,6'")
  const { nodeset = '' } = numatune?.memory ?? {}
  if (numatune?.memory && expandCpuset(nodeset) === undefined)
    refuse(`<numatune>: nodeset='${nodeset}' names no nodes of memory`, "Write it as '0-3,^2,6'")
  if (vcpu?.count === 0) refuse('<vcpu> is 0', 'A container runs on one processor at least')
  const { hardLimitKib = memoryKib, swapHardLimitKib } = memtune ?? {}
  if (swapHardLimitKib !== undefined && hardLimitKib !== undefined && swapHardLimitKib < hardLimitKib)
    refuse(
      `<memtune/swap_hard_limit> ${swapHardLimitKib} KiB is less than the ${hardLimitKib} KiB of memory`,
      'It limits memory and swap together',
    )
  checkRange('cputune/shares', cputune?.shares, 2n, 262_144n)
  checkRange('cputune/period', cputune?.periodUs, 1000n, 1_000_000n)
  const quotaUs = cputune?.quotaUs
  if (quotaUs !== undefined && quotaUs > 0n) checkRange('cputune/quota', quotaUs, 1000n, 17_592_186_044_415n)
  if (!rootFilesystem(document)) {
    refuse(
      'A container needs a root file system',
      "Add <filesystem type='mount'><source dir='/srv/web'/><target dir='/'/></filesystem>",
    )
  }
  if (containerOptions(document).privileged && hasIdmap(document))
    refuse('A container is either privileged or has an <idmap>', 'Leave one of them out')
  const mistake = idmapMistake(document)
  if (mistake !== undefined)
    refuse(
      `<idmap>: ${mistake}`,
      "Write it as <uid start='0' target='100000' count='65536'/>, and <gid …/> likewise",
    )
  devices.filesystems.forEach(checkFilesystem)
  devices.interfaces.forEach(checkInterface)
  for (const { source } of hostDevices(document))
    if (!isCleanPath(source) || !source.startsWith('/dev/')) refuse(`<hostdev>: ${source} is no path in /dev`)
  for (const name of hostLinks(document))
    if (!linkName.test(name)) refuse(`<hostdev>: '${name}' is not a name for a network link`)
  const log = devices.consoles[0]?.log?.file
  if (log !== undefined && !isCleanPath(log))
    refuse(`<console>: <log file='${log}'> must be an absolute path`)
  const weight = blkiotune?.weight
  if (weight !== undefined) checkRange('blkiotune/weight', BigInt(weight), 10n, 1000n)
  for (const { path } of blkiotune?.devices ?? [])
    if (path === undefined || !isCleanPath(path)) refuse('<blkiotune>: <path> must be an absolute path')
  checkUnique(
    'filesystem target',
    devices.filesystems.map(({ target }) => target),
  )
  checkUnique(
    'interface target',
    devices.interfaces.map(({ target }) => target?.dev),
  )
  checkUnique(
    'interface guest',
    devices.interfaces.map(({ guest }) => guest?.dev),
  )
}

function checkFilesystem(filesystem: FilesystemXml): void {
  const { target } = filesystem
  if (!isCleanPath(target)) refuse(`<filesystem>: target dir='${target}' must be an absolute path`)
  if (filesystem.type === 'ram') {
    if (!filesystem.source?.usageKib) refuse("<filesystem type='ram'> needs <source usage=…>")
    return
  }
  const source = sourcePath(filesystem)
  if (source === undefined || !isCleanPath(source))
    refuse(`<filesystem> on ${target}: its source must be an absolute path`)
  const changes = changesDirectory(filesystem)
  if (changes !== undefined && !isCleanPath(changes))
    refuse(`<filesystem> on ${target}: <source dir=…> must be an absolute path`)
}

/** dev_valid_name() of the kernel, and nothing that means something in a configuration. */
const linkName = /^(?!\.{1,2}$)[A-Za-z0-9._-]{1,15}$/

function checkInterface(link: InterfaceXml): void {
  const bridge = link.type === 'bridge' ? link.source?.bridge : undefined
  const parent = link.type === 'direct' ? link.source?.dev : undefined
  if (link.type === 'bridge' && bridge === undefined)
    refuse("<interface type='bridge'> needs <source bridge=…>")
  if (link.type === 'direct' && parent === undefined) refuse("<interface type='direct'> needs <source dev=…>")
  const names = {
    'source bridge': bridge,
    'source dev': parent,
    'target dev': link.target?.dev,
    'guest dev': link.guest?.dev,
  }
  for (const [what, name] of Object.entries(names)) {
    if (name !== undefined && !linkName.test(name))
      refuse(
        `<interface>: ${what}='${name}' is not a name for a network link`,
        'At most 15 letters, digits, . _ -',
      )
  }
  for (const route of link.routes) {
    const mistake = routeMistake(route)
    if (mistake !== undefined)
      refuse(`<route>: ${mistake}`, "Write it as <route address='10.2.0.0' prefix='16' gateway='10.1.0.1'/>")
  }
  const mac = link.mac?.address
  if (mac !== undefined && Number.parseInt(mac.slice(0, 2), 16) % 2 === 1)
    refuse(`<interface>: ${mac} is the MAC address of a group`, 'Its second digit has to be even')
  if (link.mtu !== undefined) checkRange('interface/mtu', BigInt(link.mtu), 68n, 65_535n)
  link.ips.forEach(checkAddress)
}

function checkAddress({ address, family, prefix }: InterfaceXml['ips'][number]): void {
  const version = address.includes('%') ? 0 : isIP(address)
  if (version === 0) refuse(`<interface>: '${address}' is not an IP address`)
  if (family !== undefined && family !== `ipv${version}`)
    refuse(`<interface>: '${address}' is not of ${family}`)
  if (prefix !== undefined) checkRange('interface/ip prefix', BigInt(prefix), 0n, version === 4 ? 32n : 128n)
}

function isCleanPath(path: string): boolean {
  return path.startsWith('/') && !path.split('/').some((part) => part === '..') && !/[\n\r\0]/.test(path)
}

function checkRange(element: string, value: bigint | undefined, min: bigint, max: bigint): void {
  if (value !== undefined && (value < min || value > max))
    refuse(`<${element}> ${value} is out of range`, `Allowed is ${min} to ${max}`)
}

function checkUnique(what: string, values: readonly (string | undefined)[]): void {
  const given = values.filter((value) => value !== undefined)
  const twice = given.find((value, index) => given.indexOf(value) !== index)
  if (twice !== undefined) refuse(`Two devices have the ${what} '${twice}'`)
}

function refuse(message: string, hint?: string): never {
  throw new VirError('XML_ERROR', message, { domain: 'LXC', ...(hint === undefined ? {} : { hint }) })
}
