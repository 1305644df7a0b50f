import { readdir, readFile } from 'node:fs/promises'

/** The pids of the processes that have `argument` on their command line. */
export async function processesWith(argument: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const found = await Promise.all(
    pids.map(async (pid) => {
      const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
      return line.split('\0').includes(argument) ? [Number(pid)] : []
    }),
  )
  return found.flat()
}

/** The one QEMU of the domain with this uuid. */
export async function processOf(uuid: string): Promise<number> {
  const [pid, ...more] = await processesWith(uuid)
  if (pid === undefined || more.length > 0)
    throw new Error(`There are ${more.length} QEMUs too many of ${uuid}, or none`)
  return pid
}
