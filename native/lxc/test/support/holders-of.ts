import { readdir, readFile } from 'node:fs/promises'
import type { Container } from '../../ts/index.js'

/** The processes of `covirt-lxc` that work on this container, or hold its init: liblxc gives its hooks the name. */
export async function holdersOf({ name }: Container): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry))
  const commands = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  )
  return commands.filter((command) => {
    const [program = '', ...args] = command.split('\0')
    return program.endsWith('/covirt-lxc') && args.includes(name)
  })
}
