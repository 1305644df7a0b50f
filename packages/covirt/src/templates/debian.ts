import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, mkdir, readFile, writeFile } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { abortError, messageOf, VirError } from '@covirt/core'
import type { Template, TemplateOptions } from './template.js'

const packages = ['systemd-sysv', 'dbus', 'udev', 'iproute2', 'libpam-systemd']

/** Whoever may open the console of a container is root on its host already: no password would protect anything. */
const consoleLogin = `[Service]
ExecStart=
ExecStart=-/sbin/agetty --autologin root --noclear --keep-baud console 115200,38400,9600 $TERM
`

const network = `[Match]
Name=eth0
[Network]
DHCP=yes
`

/** Debian with systemd, bootstrapped from its archive: some 220 MB and half a minute. */
export const debian: Template = {
  init: '/sbin/init',
  build: async (options) => {
    const { directory, name } = options
    const suite = options.suite ?? (await hostSuite()) ?? 'stable'
    await bootstrap({ ...options, suite })
    const files: Readonly<Record<string, string>> = {
      'etc/hostname': `${name}\n`,
      'etc/hosts': `127.0.0.1 localhost ${name}\n`,
      'etc/systemd/system/console-getty.service.d/autologin.conf': consoleLogin,
      'etc/systemd/network/eth0.network': network,
    }
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(directory, path)), { recursive: true })
      await writeFile(join(directory, path), text)
    }
  },
}

async function bootstrap(options: TemplateOptions & { readonly suite: string }): Promise<void> {
  const { directory, suite, mirror } = options
  const from = mirror === undefined ? [] : [mirror]
  const include = `--include=${packages.join(',')}`
  if (await isInstalled('mmdebstrap')) {
    // libapt would write its temporary files as a user who may not enter private directories
    const flags = ['--variant=minbase', include, '--format=directory', '--aptopt=APT::Sandbox::User "root"']
    return runTool('mmdebstrap', [...flags, suite, directory, ...from], options)
  }
  if (await isInstalled('debootstrap')) {
    return runTool('debootstrap', ['--variant=minbase', include, suite, directory, ...from], options)
  }
  throw new VirError('OPERATION_FAILED', 'Neither mmdebstrap nor debootstrap is installed', {
    hint: 'Debian: apt install mmdebstrap',
  })
}

/** Runs a bootstrap tool; its `I:` lines are the progress. Cancelled, it gets SIGTERM and the time to clean up. */
async function runTool(tool: string, args: readonly string[], options: TemplateOptions): Promise<void> {
  const { signal, onProgress } = options
  const child = spawn(tool, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, LC_ALL: 'C' } })
  const stop = () => void child.kill('SIGTERM')
  signal.addEventListener('abort', stop, { once: true })
  const last: string[] = []
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      last.push(line)
      if (last.length > 10) last.shift()
      if (line.startsWith('I: ')) onProgress(line.slice(3).replace(/\.\.\.$/, ''))
    })
  }
  try {
    const [status] = await once(child, 'close')
    if (signal.aborted) throw abortError(signal)
    if (status !== 0)
      throw new VirError('OPERATION_FAILED', `${tool} failed: ${reasonOf(last)}`, { cause: last.join('\n') })
  } catch (cause) {
    if (cause instanceof VirError) throw cause
    throw new VirError('OPERATION_FAILED', `Cannot run ${tool}: ${messageOf(cause)}`, { cause })
  } finally {
    signal.removeEventListener('abort', stop)
  }
}

function reasonOf(lines: readonly string[]): string {
  const error = lines.findLast((line) => /^E: |error/i.test(line))
  return (error ?? lines.at(-1) ?? 'it did not say why').replace(/^E: /, '')
}

/** The release that this machine runs, where it is Debian itself. */
async function hostSuite(): Promise<string | undefined> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '')
  return /^ID=debian$/m.test(text) ? /^VERSION_CODENAME=(\S+)$/m.exec(text)?.[1] : undefined
}

async function isInstalled(program: string): Promise<boolean> {
  const attempts = (process.env.PATH ?? '')
    .split(delimiter)
    .map((directory) => access(join(directory, program)))
  return Promise.any(attempts).then(
    () => true,
    () => false,
  )
}
