import type { DomainXml } from '@covirt/xml'
import { json, keyval, malformed, unsupported } from './arguments.js'

/** What a virtual machine has at least to be of any use, in KiB; QEMU itself takes less. */
const defaultMemoryKib = 512n * 1024n

/** The memory that other programs may share, where the definition wants that. */
export const memoryBackend = 'ram'

/** The memory a definition grants, in KiB. */
export function memoryKibOf(domain: DomainXml): bigint {
  return domain.memoryKib ?? defaultMemoryKib
}

/** `-m` and how the host backs it. */
export function memoryArguments(domain: DomainXml): string[] {
  const { maxMemory, memoryBacking = {} } = domain
  const { hugepages, source, access, allocation, discard, locked, nosharepages } = memoryBacking
  if (hugepages) throw unsupported('<memoryBacking><hugepages>')
  if (source !== undefined && source !== 'anonymous' && source !== 'memfd')
    throw unsupported(`<memoryBacking><source type='${source}'>`)
  if (access === 'shared' && source !== 'memfd')
    throw unsupported("<memoryBacking><access mode='shared'>", "Say <source type='memfd'/> besides")
  if (allocation?.mode === 'immediate') throw unsupported("<memoryBacking><allocation mode='immediate'>")
  if (discard) throw unsupported('<memoryBacking><discard>')
  if (nosharepages) throw unsupported('<memoryBacking><nosharepages>')
  const memoryKib = memoryKibOf(domain)
  if (memoryKib === 0n) throw malformed('<memory>: a virtual machine needs memory')
  if ((domain.currentMemoryKib ?? 0n) > memoryKib) throw malformed('<currentMemory> is more than <memory>')
  const slots = maxMemory?.kib === undefined ? undefined : (maxMemory.slots ?? 0)
  return [
    ...keyval('-m', undefined, {
      size: `${memoryKib}k`,
      slots,
      maxmem: maxMemory?.kib === undefined ? undefined : `${maxMemory.kib}k`,
    }),
    ...(source === 'memfd'
      ? json('-object', {
          'qom-type': 'memory-backend-memfd',
          id: memoryBackend,
          size: Number(memoryKib * 1024n),
          share: access === 'shared',
        })
      : []),
    ...(locked ? ['-overcommit', 'mem-lock=on'] : []),
  ]
}
