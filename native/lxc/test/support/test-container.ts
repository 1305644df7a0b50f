import { mkdir, writeFile } from 'node:fs/promises'
import { busyboxRootfs, tempRoot, uniqueName } from '../../../../test/fixtures/index.js'
import { type Container, stop } from '../../ts/index.js'

/** A defined container below an lxcpath of its own, that goes away with the test. */
export interface TestContainer extends Container, AsyncDisposable {
  readonly rootfs: string
}

/**
 * Defines a container with a busybox root, `ctinit` as init and no network. Not started.
 *
 * @param options.config further lines of its configuration; a key may be given again to replace the default
 * @param options.rootfs whether to make the root file system; default true
 */
export async function testContainer(
  options: { readonly config?: readonly string[]; readonly rootfs?: boolean } = {},
): Promise<TestContainer> {
  const root = await tempRoot()
  const name = uniqueName('nat')
  const container = { path: root.path, name }
  const rootfs = root.join(name, 'rootfs')
  await mkdir(root.join(name))
  if (options.rootfs !== false) await busyboxRootfs(rootfs)
  const lines = [
    `lxc.uts.name = ${name}`,
    `lxc.rootfs.path = dir:${rootfs}`,
    'lxc.init.cmd = /sbin/ctinit',
    'lxc.mount.auto = proc:mixed',
    'lxc.net.0.type = empty',
    'lxc.tty.max = 1',
    'lxc.pty.max = 16',
    'lxc.console.buffer.size = 64KB',
    ...(options.config ?? []),
  ]
  await writeFile(root.join(name, 'config'), `${lines.join('\n')}\n`)
  return {
    ...container,
    rootfs,
    async [Symbol.asyncDispose]() {
      await stop(container)
      await root[Symbol.asyncDispose]()
    },
  }
}
