import { machine } from 'node:os'
import { formatCapabilities } from '@covirt/xml'
import { containerMachine } from './config/prepare-document.js'

/** libvirt's `<capabilities>` of this host for containers. */
export function capabilitiesDocument(): string {
  const name = machine()
  const guests = [name, ...compatible(name)].map((arch) => ({
    osType: 'exe',
    arch: {
      ...{ name: arch, wordSize: /64|s390x/.test(arch) ? 64 : 32 },
      machines: [{ name: containerMachine }],
      domains: [{ type: 'lxc' }],
    },
    features: { privnet: true as const },
  }))
  return formatCapabilities({ host: { cpu: { arch: name } }, guests })
}

/** What the kernel of a host runs besides its own (personality(2)). */
function compatible(host: string): string[] {
  return host === 'x86_64' ? ['i686'] : []
}
