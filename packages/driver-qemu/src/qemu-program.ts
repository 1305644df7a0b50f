import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { access, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { isObject } from './qmp/qmp-message.js'

const run = promisify(execFile)

/** What one QEMU program is and can be. */
export interface QemuProgram {
  readonly path: string
  readonly version: string
  /** Its machines, each maybe an alias of a versioned one. */
  readonly machines: readonly QemuMachine[]
}

/** A machine that a QEMU program can be. */
export interface QemuMachine {
  readonly name: string
  readonly maxCpus: number
  /** The other name, for `pc` and `q35`. */
  readonly alias: string | undefined
}

/** The full path of a program in the PATH, `undefined` where there is none. */
export async function findProgram(name: string): Promise<string | undefined> {
  for (const directory of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(directory, name)
    if (await isExecutable(path)) return path
  }
  return undefined
}

/** What this process has asked for, so that not every root that it opens asks again. */
const asked = new Map<string, Promise<QemuProgram>>()

/**
 * Asks a QEMU program what it is. The answer is kept, by this process and in `cacheDirectory`, and asked for again
 * when the program has changed, because asking takes as long as starting a guest.
 */
export async function inspectProgram(path: string, cacheDirectory: string): Promise<QemuProgram> {
  const { size, mtimeMs } = await stat(path)
  const key = `${path} ${size} ${mtimeMs}`
  const file = join(cacheDirectory, 'qemu-program.json')
  const cached = await readCache(file, key)
  if (cached) return cached
  const program = await askOnce(path, key)
  await mkdir(cacheDirectory, { recursive: true })
  const temporary = `${file}.${process.pid}`
  try {
    await writeFile(temporary, JSON.stringify({ key, program }))
    await rename(temporary, file)
  } catch {
    await rm(temporary, { force: true })
  }
  return program
}

/** Whether this process could use KVM. */
export function canUseKvm(): Promise<boolean> {
  return access('/dev/kvm', constants.R_OK | constants.W_OK).then(
    () => true,
    () => false,
  )
}

function askOnce(path: string, key: string): Promise<QemuProgram> {
  const known = asked.get(key)
  if (known) return known
  const answer = ask(path)
  asked.set(key, answer)
  answer.catch(() => asked.delete(key))
  return answer
}

async function ask(path: string): Promise<QemuProgram> {
  const commands = ['qmp_capabilities', 'query-version', 'query-machines', 'quit'].map((execute) => ({
    execute,
  }))
  const args = ['-machine', 'none', '-nodefaults', '-no-user-config', '-display', 'none', '-qmp', 'stdio']
  const running = run(path, args, { timeout: 10_000, maxBuffer: 16 * 1024 * 1024 })
  running.child.stdin?.end(commands.map((command) => JSON.stringify(command)).join('\n'))
  const { stdout } = await running
  const answers = stdout.split('\n').flatMap((line) => {
    const message: unknown = line.trim() === '' ? undefined : JSON.parse(line)
    return isObject(message) && 'return' in message ? [message.return] : []
  })
  const [, version, machines] = answers
  return { path, version: versionOf(version), machines: machinesOf(machines) }
}

function versionOf(answer: unknown): string {
  const qemu = isObject(answer) && isObject(answer.qemu) ? answer.qemu : {}
  return `${qemu.major}.${qemu.minor}.${qemu.micro}`
}

function machinesOf(answer: unknown): QemuMachine[] {
  const all = Array.isArray(answer) ? answer.filter(isObject) : []
  return all
    .filter(({ name }) => name !== 'none' && name !== 'x-remote')
    .map((machine) => ({
      name: String(machine.name),
      maxCpus: Number(machine['cpu-max']),
      alias: typeof machine.alias === 'string' ? machine.alias : undefined,
    }))
}

async function readCache(file: string, key: string): Promise<QemuProgram | undefined> {
  try {
    const cached = JSON.parse(await readFile(file, 'utf8')) as { key: string; program: QemuProgram }
    return cached.key === key ? cached.program : undefined
  } catch {
    return undefined
  }
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  )
}
