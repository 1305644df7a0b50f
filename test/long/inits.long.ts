import { execFile } from 'node:child_process'
import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals'
import { type Connection, type Domain, type LxcDriver, open } from 'covirt'
import { bootstrapDebian } from '../fixtures/bootstrap-debian.js'
import { cached, FIXTURES } from '../fixtures/build-cache.js'
import { canBootstrapDebian } from '../fixtures/debian-rootfs.js'
import { describeWhen, type TempRoot, tempRoot, uniqueName } from '../fixtures/index.js'

const run = promisify(execFile)
const thisFile = join(FIXTURES, '../long/inits.long.ts')

/** Real inits of Debian's: the packages that bring one, its path, and what says on the console that it is up. */
const inits = {
  sysvinit: { packages: 'sysvinit-core,sysv-rc,initscripts', init: '/sbin/init', up: /Entering runlevel: 2/ },
  'OpenRC below sysvinit': {
    packages: 'openrc,sysvinit-core,initscripts',
    init: '/sbin/init',
    up: /Entering runlevel: 2/,
  },
  'openrc-init': {
    packages: 'openrc,sysvinit-core,initscripts',
    init: '/sbin/openrc-init',
    up: /Starting default runlevel/,
  },
} as const

/** Debian with such packages: half a minute and more, once. */
async function debianWith(packages: string): Promise<string> {
  const directory = await cached(`debian-${packages.replaceAll(',', '-')}`, [thisFile], async (out) => {
    await bootstrapDebian(join(out, 'rootfs'), { suite: 'bookworm', packages: [packages] })
  })
  return join(directory, 'rootfs')
}

let root: TempRoot
let connection: Connection<LxcDriver>

beforeAll(async () => {
  root = await tempRoot()
  connection = await open(`lxc:///system?root=${root.path}`)
})

afterAll(async () => {
  for (const domain of await connection.domains.list({ active: true })) await domain.destroy()
  await connection.close()
  await root[Symbol.asyncDispose]()
})

function create(filesystem: string, init: string, metadata = ''): Promise<Domain<LxcDriver>> {
  return connection.domains.create(`<domain type='lxc'><name>${uniqueName('init')}</name><memory unit='MiB'>512</memory>
    ${metadata}<os><type>exe</type><init>${init}</init></os><devices>${filesystem}<console type='pty'/></devices></domain>`)
}

/** Resolves once the console has said so, `count` times. */
async function says(domain: Domain<LxcDriver>, words: RegExp, count = 1): Promise<void> {
  const log = root.join('log/lxc', `${domain.name}.log`)
  for (;;) {
    const said = await readFile(log, 'utf8').catch(() => '')
    if ([...said.matchAll(new RegExp(words, 'g'))].length >= count) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

async function endsCleanly(domain: Domain<LxcDriver>): Promise<void> {
  const off = domain.waitFor('shutoff', { signal: AbortSignal.timeout(90_000) })
  await domain.shutdown()
  expect(await off).toEqual({ state: 'shutoff', reason: 'shutdown' })
}

const template = (tree: string) =>
  `<filesystem type='template'><source name='${tree}'/><target dir='/'/></filesystem>`

describeWhen(canBootstrapDebian(), 'a container with an init of Debian', () => {
  describe.each(Object.entries(inits))('%s', (_, { packages, init, up }) => {
    let tree: string
    beforeAll(async () => {
      tree = await debianWith(packages)
    }, 300_000)

    test('comes up, restarts when asked to, and goes down cleanly', async () => {
      const domain = await create(template(tree), init)
      const id = await domain.id()
      await says(domain, up)
      await domain.reboot()
      await says(domain, up, 2)
      expect(await domain.id()).toBe(id)
      await endsCleanly(domain)
    }, 120_000)

    test.each([0, 10, 20, 35, 50])(
      'goes down cleanly when asked after %i ms',
      async (afterMs) => {
        const domain = await create(template(tree), init)
        await new Promise((resolve) => setTimeout(resolve, afterMs))
        await endsCleanly(domain)
      },
      120_000,
    )
  })

  test('systemd: apt-get upgrade inside installs what is newer, and the container restarts and goes down cleanly', async () => {
    const packages = ['systemd-sysv', 'dbus', 'libpam-systemd']
    const base = await cached('debian-to-upgrade', [thisFile], async (out) => {
      // Without updates of the release, which are what there is to upgrade to.
      const sources = ['deb http://deb.debian.org/debian bookworm main']
      await bootstrapDebian(join(out, 'rootfs'), { suite: 'bookworm', packages, sources })
    })
    const tree = root.join('upgraded')
    await run('cp', ['-a', '--reflink=auto', join(base, 'rootfs'), tree])
    for (const place of ['etc/apt', 'etc/resolv.conf', 'etc/hosts', 'usr/share/keyrings'])
      await cp(join('/', place), join(tree, place), { recursive: true, force: true, dereference: true })
    const other = 'etc/apt/sources.list.d'
    await run('find', [join(tree, other), '-type', 'f', '!', '-name', 'debian.*', '-delete'])
    await writeFile(join(tree, 'usr/sbin/policy-rc.d'), '#!/bin/sh\nexit 0\n', { mode: 0o755 })
    // The host's network, for the archive; so root inside has to be root outside.
    const metadata = `<metadata><c:container xmlns:c='urn:covirt:lxc:1'><c:privileged/>
      <c:option name='lxc.namespace.share.net' value='/proc/self/ns/net'/></c:container></metadata>`
    const domain = await create(
      `<filesystem type='mount'><source dir='${tree}'/><target dir='/'/></filesystem>`,
      '/sbin/init',
      metadata,
    )
    const id = await domain.id()
    const inside = async (...argv: readonly string[]) => {
      const { stdout, stderr, exit } = await domain.exec(argv, {
        env: { DEBIAN_FRONTEND: 'noninteractive', PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
        stdin: '',
      })
      const [out, error] = await Promise.all([stdout, stderr].map((stream) => stream.toArray()))
      return {
        text: Buffer.concat(out ?? []).toString(),
        error: Buffer.concat(error ?? []).toString(),
        exit: await exit,
      }
    }
    const isUp = async () => {
      for (;;) {
        const { text } = await inside('systemctl', 'is-system-running', '--wait')
        if (/running|degraded/.test(text)) return
      }
    }
    await isUp()
    expect(await inside('apt-get', '-qq', '-o', 'APT::Sandbox::User=root', 'update')).toMatchObject({
      exit: { code: 0 },
    })
    const upgrade = await inside('apt-get', '-y', '-o', 'APT::Sandbox::User=root', 'upgrade')
    expect(upgrade).toMatchObject({ exit: { code: 0 } })
    expect(Number(/(\d+) upgraded/.exec(upgrade.text)?.[1])).toBeGreaterThan(0)
    const restarted = new Promise<void>((resolve) => {
      domain.subscribe(({ type }) => type === 'reboot' && resolve())
    })
    await domain.reboot()
    await restarted
    await isUp()
    expect(await domain.id()).toBe(id)
    expect((await inside('dpkg', '--audit')).text).toBe('')
    await endsCleanly(domain)
  }, 600_000)
})
