import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { type CallOptions, throwIfAborted, VirError } from '@covirt/core'
import { fromWords } from '../qemu-errors.js'
import { isObject } from '../qmp/qmp-message.js'

const run = promisify(execFile)

/** What is done to a snapshot in an image that no guest uses: qemu-img(1), `snapshot`. */
const actions = { take: '-c', restore: '-a', remove: '-d' } as const

/** Takes, restores or removes the snapshot `tag` of a qcow2 image that no guest uses. */
export async function changeImage(
  action: keyof typeof actions,
  path: string,
  tag: string,
  options: CallOptions = {},
): Promise<void> {
  await call(
    'qemu-img',
    ['snapshot', '-q', actions[action], tag, '--image-opts', imageOptions(path)],
    options,
  )
}

/** Rejects where a qcow2 image cannot be written to, or somebody uses it; that it can be is true of this moment only. */
export async function checkWritable(path: string): Promise<void> {
  await call('qemu-io', ['-c', 'quit', '--image-opts', imageOptions(path)], {})
}

/** The names of the snapshots in a qcow2 image, also of one that a guest uses. */
export async function listTags(path: string, options: CallOptions = {}): Promise<readonly string[]> {
  const args = ['info', '--force-share', '--output=json', '--image-opts', imageOptions(path)]
  const answer: unknown = JSON.parse(await call('qemu-img', args, options))
  const snapshots = isObject(answer) && Array.isArray(answer.snapshots) ? answer.snapshots : []
  return snapshots.filter(isObject).map(({ name }) => String(name))
}

/** With its format said: it is not guessed from what a guest may have written. */
function imageOptions(path: string): string {
  return `driver=qcow2,file.filename=${path.replaceAll(',', ',,')}`
}

async function call(
  program: 'qemu-img' | 'qemu-io',
  args: readonly string[],
  { signal }: CallOptions,
): Promise<string> {
  throwIfAborted(signal)
  try {
    const { stdout } = await run(program, args, {
      signal,
      env: { PATH: process.env.PATH, LC_ALL: 'C' },
      maxBuffer: 16 * 1024 * 1024,
    })
    return stdout
  } catch (error) {
    throwIfAborted(signal)
    const { code, stderr = '' } = error as { readonly code?: string | number; readonly stderr?: string }
    if (code === 'ENOENT')
      throw new VirError('OPERATION_FAILED', `There is no program '${program}', which snapshots need`, {
        domain: 'QEMU',
        cause: error,
        hint: "On Debian and Ubuntu: 'apt install qemu-utils'",
      })
    const lines = stderr.split('\n').map((line) => line.trim())
    throw fromWords(
      'The snapshot failed',
      lines.filter((line) => line !== ''),
    )
  }
}
