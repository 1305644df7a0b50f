import { firmwareGuest } from '../../../test/fixtures/index.js'

/** How a test's guest is run. */
export interface GuestXml {
  readonly name: string
  readonly uuid?: string | undefined
  /** `qemu` where it is not said. */
  readonly type?: 'qemu' | 'kvm' | undefined
  /** `pc` where it is not said. */
  readonly machine?: string | undefined
  readonly memoryKib?: number | undefined
  /** XML below `<os>`, after `<type>`. */
  readonly os?: string | undefined
  /** XML directly below `<domain>`. */
  readonly elements?: string | undefined
  /** XML in `<devices>` beside the serial port and the panic device. */
  readonly devices?: string | undefined
}

/** The definition of a guest with a serial port and a panic device. */
export function guestXml(guest: GuestXml): string {
  const {
    name,
    uuid,
    type = 'qemu',
    machine = 'pc',
    memoryKib = 65536,
    os = '',
    elements = '',
    devices = '',
  } = guest
  return `<domain type='${type}'>
  <name>${name}</name>
  ${uuid === undefined ? '' : `<uuid>${uuid}</uuid>`}
  ${elements}
  <memory unit='KiB'>${memoryKib}</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='${machine}'>hvm</type>${os}</os>
  <devices>
    <serial type='pty'/>
    <panic model='isa'/>
    ${devices}
  </devices>
</domain>`
}

/** The definition of a guest that is nothing but firmware and is up at once. */
export async function firmwareXml(guest: GuestXml): Promise<string> {
  return guestXml({ ...guest, os: `<loader type='rom'>${await firmwareGuest()}</loader>${guest.os ?? ''}` })
}
