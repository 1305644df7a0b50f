import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const addon = fileURLToPath(new URL('../../build/Release/covirt_lxc.node', import.meta.url))

/**
 * Runs JavaScript in a Node process of its own, with the addon as `native`, and answers what it prints.
 *
 * @param env added to ours
 */
export async function runChild(script: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const source = `const native = require(${JSON.stringify(addon)}); ${script}`
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', source], {
    env: { ...process.env, NODE_OPTIONS: '', ...env },
  })
  return stdout
}
