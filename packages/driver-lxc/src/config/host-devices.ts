import type { DomainXml } from '@covirt/xml'

/** A device of the host that a container may use. */
export interface HostDevice {
  readonly kind: 'c' | 'b'
  /** Its path, on the host and inside. */
  readonly source: string
}

/** The `<hostdev>` of type `misc` and `storage`. */
export function hostDevices({ devices }: DomainXml): HostDevice[] {
  return devices.hostdevs.flatMap((each): HostDevice[] => {
    if (each.type === 'misc') return [{ kind: 'c', source: each.source?.char ?? '' }]
    return each.type === 'storage' ? [{ kind: 'b', source: each.source?.block ?? '' }] : []
  })
}
