import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { cached } from '../../../../test/fixtures/build-cache.js'

const source = fileURLToPath(new URL('deadly-liblxc.c', import.meta.url))

/** A liblxc whose user is killed as soon as it has attached from within the control groups of a container. */
export async function deadlyLibLxc(): Promise<string> {
  const directory = await cached('deadly-liblxc', [source, fileURLToPath(import.meta.url)], async (out) => {
    const library = join(out, 'liblxc.so')
    // It has the rest of liblxc's functions from liblxc itself.
    const linked = ['-Wl,--no-as-needed', '-l:liblxc.so.1']
    await promisify(execFile)('gcc', ['-shared', '-fPIC', '-o', library, source, ...linked])
  })
  return join(directory, 'liblxc.so')
}
