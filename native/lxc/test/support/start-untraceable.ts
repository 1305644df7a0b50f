import { execFile } from 'node:child_process'
import { appendFile, copyFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { programPath } from '../../ts/binding.js'
import type { Container } from '../../ts/index.js'

const script = { mode: 0o755 }

/**
 * Has `covirt-lxc` start a container paused where its hook may not trace init, and answers what it prints. An
 * earlier hook puts something else where the program was: the same program, less the capability.
 */
export async function startUntraceable({ path, name }: Container): Promise<unknown> {
  const [program, lesser, swap] = ['covirt-lxc', 'lesser', 'swap'].map((file) => join(path, file)) as [
    string,
    string,
    string,
  ]
  await copyFile(programPath(), program)
  const capabilities = '--bounding-set -sys_ptrace --inh-caps -sys_ptrace'
  await writeFile(lesser, `#!/bin/sh\nexec setpriv ${capabilities} '${programPath()}' "$@"\n`, script)
  await writeFile(swap, `#!/bin/sh\nmv '${lesser}' '${program}'\n`, script)
  await appendFile(join(path, name, 'config'), `lxc.hook.pre-start = ${swap}\n`)
  const args = ['start', '--path', path, '--name', name, '--paused']
  const { stdout } = await promisify(execFile)(program, args, { timeout: 5_000 })
  return JSON.parse(stdout)
}
