import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, watch } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { open } from 'covirt'
import { firmwareGuest } from '../test/fixtures/firmware-guest.js'
import { canRunQemu } from '../test/fixtures/requirements.js'
import { tempRoot } from '../test/fixtures/temp-root.js'
import type { Benchmark } from './benchmark.js'
import { pair } from './measure.js'

/** Resolves as soon as the firmware guest has said in `file` that it is ready. */
async function ready(file: string): Promise<void> {
  const said = () => readFileSync(file, 'utf8').includes('FX-READY')
  const watcher = watch(file)
  try {
    while (!said()) await once(watcher, 'change')
  } finally {
    watcher.close()
  }
}

async function killed(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

/** From the call, or the start of the program, until the guest says that it is ready. */
export const qemuStart: Benchmark = {
  name: 'qemu-start',
  about: 'QEMU start to guest ready; peer: the bare command line',
  goal: { ratio: 1.15 },
  requires: canRunQemu,
  run: async () => {
    await using root = await tempRoot()
    const rom = await firmwareGuest()
    const serial = root.join('serial')
    await using connection = await open(`qemu:///system?root=${root.path}`)
    const domain = await connection.domains.define(`<domain type='qemu'>
      <name>bench</name><memory unit='MiB'>64</memory>
      <os><type arch='x86_64' machine='pc'>hvm</type><loader type='rom'>${rom}</loader></os>
      <devices><serial type='file'><source path='${serial}'/></serial><memballoon model='none'/></devices></domain>`)
    const timeUntilReady = async (start: () => Promise<unknown>) => {
      await writeFile(serial, '')
      const begin = performance.now()
      const isReady = ready(serial)
      await start()
      await isReady
      return performance.now() - begin
    }
    const { oursMs, peerMs, ratio } = await pair(
      25,
      async () => {
        const ms = await timeUntilReady(() => domain.start())
        await domain.destroy()
        return ms
      },
      async () => {
        const machine = [
          '-M',
          'pc',
          '-accel',
          'tcg',
          '-m',
          '64',
          '-bios',
          rom,
          '-nodefaults',
          '-display',
          'none',
        ]
        let child: ChildProcess | undefined
        const ms = await timeUntilReady(async () => {
          child = spawn('qemu-system-x86_64', [...machine, '-serial', `file:${serial}`])
        })
        if (child) await killed(child)
        return ms
      },
    )
    return { ms: oursMs, peerMs, ratio }
  },
}
