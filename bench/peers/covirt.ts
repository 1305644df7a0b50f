import { execFile } from 'node:child_process'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { cloneContainer, open } from 'covirt'
import { untilFree } from '../until-free.js'
import type { Arena, Contestant } from './contestant.js'

const run = promisify(execFile)

/**
 * covirt in this process: with users of its own as by default, or without. What it remembers of guests that run lies in
 * memory, as in the /run of hosts with systemd.
 */
export async function covirt(
  { rootfs, directory }: Arena,
  { privileged }: { readonly privileged: boolean },
): Promise<Contestant & { readonly configuration: { config: string; seccomp: string } }> {
  const name = privileged ? 'covirt privileged' : 'covirt'
  const root = join(directory, name.replace(' ', '-'))
  await mkdir(join(root, 'run'), { recursive: true })
  await run('mount', ['-t', 'tmpfs', '-o', 'mode=755', 'tmpfs', join(root, 'run')])
  const connection = await open(`lxc:///system?root=${root}`)
  const domain =
    await connection.domains.define(`<domain type='lxc'><name>cv-bench</name><memory unit='MiB'>64</memory>
    <metadata><c:container xmlns:c='urn:covirt:lxc:1'>${privileged ? '<c:privileged/>' : ''}</c:container></metadata>
    <os><type>exe</type><init>/sbin/init</init></os>
    <devices><filesystem type='mount'><source dir='${rootfs}'/><target dir='/'/></filesystem>
    <console type='pty'/></devices></domain>`)
  const container = join(root, 'lib/lxc/containers/cv-bench')
  return {
    name,
    configuration: { config: join(container, 'config'), seccomp: join(container, 'seccomp') },
    start: () => domain.start(),
    stop: async () => {
      await domain.shutdown()
      await domain.waitFor('shutoff')
      await untilFree(domain)
    },
    cycle: async () => {
      await domain.shutdown()
      await domain.waitFor('shutoff')
      await domain.start()
    },
    freeze: () => domain.suspend(),
    thaw: () => domain.resume(),
    exec: async (argv) => {
      const { exit, stdout, stderr } = await domain.exec(argv, { stdin: '' })
      await Promise.all([exit, text(stdout), text(stderr)])
    },
    clone: (other) => cloneContainer(connection, domain, other),
    linked: (other) => cloneContainer(connection, domain, other, { linked: true }),
    removeClone: async (other) => {
      const clone = await connection.domains.lookupByName(other)
      await clone.undefine()
    },
    snapshot: (snapshot) =>
      domain.createSnapshot(`<domainsnapshot><name>${snapshot}</name></domainsnapshot>`),
    removeSnapshot: (snapshot) => domain.deleteSnapshot(snapshot),
    async [Symbol.asyncDispose]() {
      try {
        if (await domain.isActive()) await domain.destroy()
        await connection.close()
      } finally {
        await run('umount', ['--lazy', join(root, 'run')])
      }
    },
  }
}
