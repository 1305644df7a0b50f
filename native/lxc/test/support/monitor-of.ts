import { readFile } from 'node:fs/promises'

/** The process of liblxc that watches over a container: the parent of its init. */
export async function monitorOf(initPid: number): Promise<number> {
  const status = await readFile(`/proc/${initPid}/status`, 'utf8')
  return Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1])
}
