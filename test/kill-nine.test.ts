import { type ChildProcess, spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, test } from '@jest/globals'
import {
  busyboxRootfs,
  canRunLxc,
  canRunQemu,
  describeWhen,
  firmwareGuest,
  tempRoot,
  uniqueName,
} from './fixtures/index.js'
import type { ChurnLine } from './support/churn.js'
import { Ledger } from './support/ledger.js'
import { compiledOnce, oneFile } from './support/one-file.js'

const repository = fileURLToPath(new URL('..', import.meta.url))
const kills = 200
/** As many times the same, each with a root and guests of its own: most of a round is waiting. */
const places = 2
const longestLifeMs = 150

type Sees = Extract<ChurnLine, { say: 'sees' }>

/** The program that is killed, and all that it says until then. */
class Churn {
  readonly said: ChurnLine[] = []
  readonly #child: ChildProcess
  readonly #lines: Interface
  readonly #stderr: string[] = []
  readonly #over: Promise<unknown>

  constructor(program: string, uri: string, guests: Readonly<Record<string, string>>) {
    this.#child = spawn(process.execPath, [program, uri, JSON.stringify(guests)], {
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.#lines = createInterface({ input: this.#child.stdout as NodeJS.ReadableStream })
    this.#lines.on('line', (line) => this.said.push(JSON.parse(line) as ChurnLine))
    this.#child.stderr?.on('data', (data: Buffer) => this.#stderr.push(data.toString()))
    this.#over = Promise.all([once(this.#child, 'exit'), once(this.#lines, 'close')])
  }

  /** Lets it open its URI. */
  async sees(): Promise<Sees> {
    this.#child.stdin?.write('open\n')
    await Promise.race([once(this.#lines, 'line'), this.#over])
    const sees = this.said.find((line): line is Sees => line.say === 'sees')
    if (!sees) throw new Error(`the program ended before it saw anything: ${this.#stderr.join('')}`)
    return sees
  }

  go(): void {
    this.#child.stdin?.write('go\n')
  }

  /** Lets it end by itself. */
  async end(): Promise<void> {
    this.#child.stdin?.end()
    await this.#over
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#over
  }
}

/** The program in one file, compiled once for all rounds: most of a round would be the loading of modules. */
async function compileChurn(): Promise<AsyncDisposable & { readonly path: string }> {
  const directory = join(repository, '.cache', uniqueName('churn'))
  await mkdir(directory, { recursive: true })
  const [path, all] = [join(directory, 'churn.cjs'), join(directory, 'all.cjs')]
  await writeFile(all, await oneFile(join(repository, 'test/support/churn.ts')))
  await writeFile(path, compiledOnce(all))
  await using root = await tempRoot()
  const first = new Churn(path, `covirt:///system?root=${root.join('root')}`, {})
  await first.sees()
  await first.end()
  return { path, [Symbol.asyncDispose]: () => rm(directory, { recursive: true }) }
}

/** Those of the guests of which processes run, whatever any driver says. */
async function running(uuids: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry))
  const processes = await Promise.all(
    pids.map((pid) =>
      Promise.all(
        ['cgroup', 'cmdline'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')),
      ),
    ),
  )
  return Object.entries(uuids).flatMap(([name, uuid]) => {
    const isOf = ([cgroup, command]: readonly string[]) =>
      cgroup?.split(/[/\n]/).some((part) => part.startsWith(`lxc.payload.${name}`)) ||
      (command?.startsWith('qemu') && command.includes(uuid))
    return processes.some(isOf) ? [name] : []
  })
}

/** Kills so many programs, one after the other, each at a random moment of what it does to a container and a machine. */
async function killMany(times: number, program: string): Promise<void> {
  await using root = await tempRoot()
  const uri = `covirt:///system?root=${root.path}/root`
  const [container, machine] = [uniqueName('kill-c'), uniqueName('kill-m')]
  const uuids = { [container]: randomUUID(), [machine]: randomUUID() }
  const guests = {
    [container]: `<domain type='lxc'><name>${container}</name><uuid>${uuids[container]}</uuid>
        <memory unit='MiB'>64</memory><os><type>exe</type><init>/sbin/ctinit</init></os>
        <devices><filesystem type='mount'><source dir='${await busyboxRootfs(root.join('rootfs'))}'/>
        <target dir='/'/></filesystem><console type='pty'/></devices></domain>`,
    [machine]: `<domain type='qemu'><name>${machine}</name><uuid>${uuids[machine]}</uuid>
        <memory unit='MiB'>64</memory><os><type arch='x86_64' machine='pc'>hvm</type>
        <loader type='rom'>${await firmwareGuest()}</loader></os>
        <devices><serial type='pty'/></devices></domain>`,
  }
  const ledger = new Ledger(Object.keys(guests))
  let next = new Churn(program, uri, guests)
  try {
    for (let round = 0; round <= times; round++) {
      const churn = next
      try {
        const sees = await churn.sees()
        expect({ round, contradictions: ledger.contradictions(sees) }).toEqual({ round, contradictions: [] })
        const active = sees.domains.filter((domain) => domain.active).map(({ name }) => name)
        expect({ round, active: [...active].sort() }).toEqual({
          round,
          active: [...(await running(uuids))].sort(),
        })
        churn.go()
        // It gets ready while this one is at work.
        next = new Churn(program, uri, guests)
        await new Promise((resolve) => setTimeout(resolve, Math.random() * longestLifeMs))
      } finally {
        await churn.kill()
      }
      for (const line of churn.said) ledger.note(line)
    }
  } finally {
    await next.kill()
  }
  const { open } = await import('covirt')
  await using connection = await open(uri)
  for (const domain of await connection.domains.list()) {
    const isPersistent = await domain.isPersistent()
    if (await domain.isActive()) await domain.destroy()
    if (isPersistent) await domain.undefine()
  }
  expect(await connection.domains.list()).toEqual([])
}

describeWhen(canRunLxc() ?? canRunQemu(), 'killed at a random moment', () => {
  test(`${kills} times: the next process sees the truth, no guest is lost, no domain forgotten, no lock stale`, async () => {
    await using program = await compileChurn()
    const all = Array.from({ length: places }, () => killMany(kills / places, program.path))
    await Promise.allSettled(all)
    await Promise.all(all)
  }, 600_000)
})
