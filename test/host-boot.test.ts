import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type JournalEntry, readJournal } from '@covirt/lifecycle'
import { expect, test } from '@jest/globals'
import {
  busyboxRootfs,
  canRunQemu,
  describeWhen,
  emulated,
  firmwareGuest,
  patience,
  uniqueName,
} from './fixtures/index.js'
import { canRunSystemdHost, systemdHost } from './fixtures/systemd-host.js'

const command = fileURLToPath(new URL('../packages/covirt/bin/covirt.js', import.meta.url))
/** Defines domains that start at boot, of documents that it is given: one process, not two for each. */
const define = `import { open } from '${new URL('../packages/covirt/dist/index.js', import.meta.url)}'
const connection = await open('covirt:///system')
for (const xml of process.argv.slice(1)) await (await connection.domains.define(xml)).setAutostart(true)
await connection.close()`
const token = uniqueName('')

/** The guests in three levels; what each starts after. */
const levels = { db: [], store: [], web: ['db'], vm: ['store'], proxy: ['web', 'vm'] } as const
const names = Object.keys(levels) as readonly (keyof typeof levels)[]
const full = (name: string) => `${token}${name}`
const brief = ({ name }: JournalEntry) => name?.slice(token.length) ?? ''

function metadata(name: keyof typeof levels, probe: string): string {
  const after = levels[name].map((other) => `<after domain='${full(other)}'/>`).join('')
  return `<metadata><lifecycle xmlns='urn:covirt:lifecycle:1'><start>${after}${probe}</start></lifecycle>
    <c:container xmlns:c='urn:covirt:lxc:1'><c:privileged/></c:container></metadata>`
}

const units = ['covirtd.socket', 'covirtd.service', 'covirt-guests.service']

/** A unit of somebody else's: as it is stopped, it lists what guests still run. */
const witness = `[Unit]
After=systemd-logind.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/true
ExecStop=/bin/sh -c 'cat /proc/[0-9]*/comm | grep -e ctinit -e qemu > /srv/witness || true'
`

describeWhen(canRunSystemdHost() ?? canRunQemu(), 'a host that boots under systemd', () => {
  test(
    'brings five guests up in three levels, keeps them through a restart of covirtd, takes them down in reverse and says so at the next boot, brings up what a restart of their unit took down, and takes them down before all else where logind waits',
    async () => {
      await using host = await systemdHost([...units, 'systemd-logind.service', 'witness.service'])
      await writeFile(host.join('etc/systemd/system/witness.service'), witness)
      // A machine that others use too may need more than the five seconds that logind waits by default.
      await mkdir(host.join('etc/systemd/logind.conf.d'))
      await writeFile(
        host.join('etc/systemd/logind.conf.d/wait.conf'),
        `[Login]\nInhibitDelayMaxSec=${patience(60)}\n`,
      )
      await grantTime(host)
      await host.boot()
      await host.run(process.execPath, command, 'install-units')
      const rootfs = await busyboxRootfs(host.join('srv/rootfs'))
      const inside = rootfs.slice(host.join('').length - 1)
      const rom = await firmwareGuest()
      const definitions = names.map((name) =>
        name === 'vm'
          ? `<domain type='qemu'><name>${full(name)}</name>${metadata(name, '')}
            <memory unit='MiB'>32</memory><os><type arch='x86_64' machine='pc'>hvm</type>
            <loader type='rom'>${rom}</loader></os><features><acpi/></features>
            <devices><console type='pty'/></devices></domain>`
          : `<domain type='lxc'><name>${full(name)}</name>${metadata(name, '<ready><init/></ready>')}<memory unit='MiB'>32</memory>
            <os><type>exe</type><init>/sbin/ctinit</init></os><devices>
            <filesystem type='mount'><source dir='${inside}'/><target dir='/'/></filesystem></devices></domain>`,
      )
      await host.run(process.execPath, '--input-type=module', '--eval', define, ...definitions)
      await host.powerOff()

      await host.boot()
      const up = await waitFor(host, 'ready', names.length)
      for (const name of names) {
        for (const other of levels[name]) expect(up.indexOf(name)).toBeGreaterThan(up.indexOf(other))
      }
      const ids = await list(host)
      expect(ids).toHaveLength(5)

      await host.run('systemctl', 'restart', 'covirtd')
      expect(await list(host)).toEqual(ids)
      await host.run('systemctl', 'restart', 'covirt-guests')
      const again = await list(host)
      expect(again.map(([name]) => name)).toEqual(ids.map(([name]) => name))
      expect(again).not.toEqual(ids)
      await host.powerOff()

      await host.boot()
      await waitFor(host, 'ready', 3 * names.length)
      expect(await host.run(process.execPath, command, 'explain', full('web'))).toMatch(
        /went off \(clean\) after [\d.]+ s, as the host goes down\n--- the host booted ---\n.* is being started/,
      )
      expect(await host.run('systemd-inhibit', '--list', '--no-legend')).toMatch(
        /^covirtd .* shutdown .* delay/m,
      )
      await host.powerOff('logind')
      expect(await readFile(host.join('srv/witness'), 'utf8')).toBe('')

      const entries = await readJournal(host.join('var/lib/covirt/lifecycle'))
      const stops = entries.filter(({ event }) => event === 'stopped')
      expect(entries.filter(({ event }) => event === 'starting')).toHaveLength(15)
      const clean = stops.filter(({ actor, how }) => actor === 'power-off' && how === 'clean').map(brief)
      expect(clean).toHaveLength(15)
      for (const once of [0, 5, 10].map((from) => clean.slice(from, from + 5))) {
        expect([...once].sort()).toEqual([...names].sort())
        for (const name of names) {
          for (const other of levels[name]) expect(once.indexOf(name)).toBeLessThan(once.indexOf(other))
        }
      }
    },
    patience(180_000),
  )
})

type Host = Awaited<ReturnType<typeof systemdHost>>

/** On an emulated processor, as much more than the units and the defaults grant: everywhere else they are tested as shipped. */
async function grantTime(host: Host): Promise<void> {
  if (!emulated) return
  const files = {
    'etc/systemd/system/covirtd.service.d/time.conf': `[Service]
TimeoutStartSec=${patience(90)}\nWatchdogSec=${patience(60)}\nTimeoutStopSec=${patience(90)}\n`,
    'etc/systemd/system/covirt-guests.service.d/time.conf': `[Service]\nTimeoutStopSec=${patience(330)}\n`,
    'etc/covirt/covirtd.toml': `[lifecycle]
deadline = ${patience(300)}\nshutdown_budget = ${patience(90)}
start_timeout = ${patience(90)}\nprobe_timeout = ${patience(120)}\n`,
  }
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(host.join(path)), { recursive: true })
    await writeFile(host.join(path), text)
  }
}

/** The guests that the journal has so many entries of, in their order, once it has them. */
async function waitFor(host: Host, event: JournalEntry['event'], count: number): Promise<readonly string[]> {
  for (;;) {
    const entries = await readJournal(host.join('var/lib/covirt/lifecycle'))
    expect(entries.filter(({ event }) => event === 'start-failed' || event === 'not-ready')).toEqual([])
    const found = entries.filter((entry) => entry.event === event)
    if (found.length >= count) return found.map(brief)
    await host.run('systemctl', 'is-active', 'covirtd')
  }
}

async function list(host: Host): Promise<readonly (readonly [name: string, id: number])[]> {
  const domains = JSON.parse(await host.run(process.execPath, command, '--json', 'list')) as {
    name: string
    id: number
  }[]
  return domains.map(({ name, id }) => [name, id] as const).sort()
}
