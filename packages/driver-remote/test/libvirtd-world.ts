import type { DomainSpec, DriverFixture, DriverWorld, GuestKind } from '@covirt/contract'
import { Connection, type Domain, parseConnectUri } from '@covirt/core'
import { firmwareGuest, type PrivateLibvirtd, uniqueName } from '../../../test/fixtures/index.js'
import { processOf } from '../../driver-qemu/test/processes.js'
import { remoteProvider } from '../src/index.js'
import { tell, tellUntilGone } from './serial.js'

/** libvirt's daemon with emulated QEMU as the suite sees it; `daemon` is asked for when the first world is made. */
export function libvirtdFixture(daemon: () => PrivateLibvirtd): DriverFixture {
  return {
    type: 'QEMU',
    roles: [
      'console',
      'reset',
      'guestAgent',
      'savedState',
      'keyboard',
      'nmi',
      'guestTime',
      'devices',
      'tuning',
    ],
    shutdownModes: ['acpi'],
    leftOut: {
      advance: 'time is real here',
      sharedConsole: 'the wire has no words for it',
      consoleHistory: 'the wire has no words for it',
      storage: 'its guests have no disk',
      memory: 'the firmware forgets what it is told',
      filePath: 'saving to files is tested with our own driver',
      spareDevice: 'its guests have no bus that devices come and go on',
      tuning: 'its guests have no balloon, and its daemon no control groups',
      agent: 'the agent of a Linux guest is tested with our own driver',
      slow: 'libvirt has no start that can be made slow',
      stuck: 'libvirt has no start that can be made to hang',
      password: 'libvirt takes no VNC password of more than eight characters',
      inattentive: 'libvirt asks once and leaves it to the caller to ask again',
    },
    notKept,
    oneWorldAtATime: true,
    world: async () => new LibvirtdWorld(daemon(), await firmwareGuest()),
  }
}

/** Events come from another thread of the daemon than replies do. */
const late = 'it may tell an event after the reply to the call that brought it about'
const extra = `it tells resumed/unpaused before started/booted, and shutdown/host before stopped/destroyed; ${late}`

/** What libvirt 9.0 does instead. */
const notKept: Readonly<Record<string, string>> = {
  'define of a new domain emits defined/added and nothing else': late,
  'start makes it running and active, and emits started/booted': extra,
  'destroy takes it to shutoff before it resolves, and emits stopped/destroyed': extra,
  'undefine of a domain that is off removes it, and emits undefined/removed': late,
  'undefine of an active domain leaves it running, as a transient one': late,
  'a start that fails leaves it off, and what was announced is revoked': late,
  'suspend pauses, and emits suspended/paused': late,
  'resume lets it go on, and emits resumed/unpaused': late,
  'suspending a paused domain does nothing': late,
  'resuming a running domain does nothing': late,
  'start leaves the guest paused where so asked, and then emits suspended/paused': late,
  'a paused domain is destroyed as any other': extra,
  'shutdown of a paused domain resumes it first, so that it can act':
    'it refuses, as the domain is not running',
  'reboot of a paused domain resumes it first': 'it leaves it paused, and the guest never acts',
  "the mode 'initctl', which this driver does not have, is refused": 'it says INVALID_ARG',
  "the mode 'signal', which this driver does not have, is refused": 'it says INVALID_ARG',
  'a second opener takes the console with force, and the first stream ends': 'the first stream fails',
  'a device that the domain does not have is an invalid argument': 'it says INTERNAL_ERROR',
  'a managed save ends the guest, and the next start goes on from it': extra,
  'a paused guest is restored paused, and goes on when it is resumed': `it is paused by 'migration'; ${extra}`,
  'a managed state outlives the connection and a new name': 'it renames no domain that has one',
  'a managed state is removed by itself, and then the domain boots': extra,
  'a domain with a managed state is not created past it': 'it creates it',
  'a guest that has crashed is not saved': 'it saves it',
  'how many processors there are is changed up to what there can be':
    'it changes what there can be only where `config` is said',
  'what is no device is refused': 'it says CONFIG_UNSUPPORTED of a kind that it does not know',
  'keys that there are not are an invalid argument': 'it takes any number for a key',
  'a guest without an agent tells no time': 'it says ARGUMENT_UNSUPPORTED',
  'a guest that switches itself off starts again where <on_poweroff> says so':
    'it resets the guest instead, and tells of no start',
  'a transient domain starts again, too, where <on_poweroff> says so':
    'it resets the guest instead, and tells of no start',
}

/** Domains of a private daemon of libvirt's. */
export class LibvirtdWorld implements DriverWorld {
  readonly dialogue = { say: 't', hear: 'FX-TICKS' }
  readonly uniqueName = uniqueName
  readonly #daemon: PrivateLibvirtd
  readonly #firmware: string
  readonly #kinds = new Map<string, GuestKind>()

  constructor(daemon: PrivateLibvirtd, firmware: string) {
    this.#daemon = daemon
    this.#firmware = firmware
  }

  async open(options = {}): Promise<Connection> {
    const uri = parseConnectUri(`qemu+unix:///system?socket=${this.#daemon.socket}`)
    return new Connection(await remoteProvider.open(uri, options))
  }

  domainXml({ name, uuid, memoryKib = 32_768, elements = '', guest = 'plain' }: DomainSpec): string {
    this.#kinds.set(name, guest)
    const firmware = guest === 'broken' ? '/no/such/firmware' : this.#firmware
    return `<domain type='qemu'>
  <name>${name}</name>${uuid === undefined ? '' : `<uuid>${uuid}</uuid>`}
  ${elements}
  <memory unit='KiB'>${memoryKib}</memory>
  <vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type><loader type='rom'>${firmware}</loader></os>
  <features><acpi/></features>
  <devices>
    <emulator>/usr/bin/qemu-system-x86_64</emulator>
    <controller type='usb' model='none'/>
    <serial type='pty'/>
    <memballoon model='none'/>
    <panic model='isa'/>
  </devices>
</domain>`
  }

  async ready(domain: Domain): Promise<void> {
    await tell(domain, 'z', 'FX-ECHO z')
    const kind = this.#kinds.get(domain.name)
    if (kind === 'deaf') await tell(domain, 'i', 'FX-IGNORE 1', 1)
    if (kind === 'inattentive') await tell(domain, 'o', 'FX-IGNORE 2', 1)
  }

  async kill(domain: Domain): Promise<void> {
    process.kill(await processOf(domain.uuid), 'SIGKILL')
  }

  panic(domain: Domain): Promise<void> {
    return tell(domain, 'k', 'FX-CRASH', 1)
  }

  powerOff(domain: Domain): Promise<void> {
    return tellUntilGone(domain, 'p')
  }

  restart(domain: Domain): Promise<void> {
    return tell(domain, 'r', 'FX-RESET', 1)
  }

  /** The daemon serves all worlds, one after the other: nothing may be left for the next. */
  async [Symbol.asyncDispose](): Promise<void> {
    const connection = await this.open()
    try {
      for (const domain of await connection.driver.listDomains())
        await connection.driver.undefineDomain(domain, { managedSave: true })
    } finally {
      await connection.close()
    }
  }
}
