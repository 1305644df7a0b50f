import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { open } from 'covirt'
import { firmwareGuest } from '../test/fixtures/firmware-guest.js'
import { canRunQemu } from '../test/fixtures/requirements.js'
import { tempRoot } from '../test/fixtures/temp-root.js'
import type { Benchmark } from './benchmark.js'
import { pair } from './measure.js'

/** Asks the firmware guest for an echo until it answers: from then on it is ready. */
async function ready(input: Writable, output: Readable): Promise<void> {
  let heard = ''
  const ask = setInterval(() => input.write('z'), 2)
  try {
    while (!heard.includes('FX-ECHO')) heard += String((await once(output, 'data'))[0])
  } finally {
    clearInterval(ask)
  }
}

async function killed(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

/** From the call to the first answer of the guest. */
export const qemuStart: Benchmark = {
  name: 'qemu-start',
  about: 'QEMU start to guest ready; peer: the bare command line',
  goal: { ratio: 1.15 },
  requires: canRunQemu,
  run: async () => {
    await using root = await tempRoot()
    const rom = await firmwareGuest()
    await using connection = await open(`qemu:///system?root=${root.path}`)
    const domain = await connection.domains.define(`<domain type='qemu'>
      <name>bench</name><memory unit='MiB'>64</memory>
      <os><type arch='x86_64' machine='pc'>hvm</type><loader type='rom'>${rom}</loader></os>
      <devices><serial type='pty'/><memballoon model='none'/></devices></domain>`)
    const { oursMs, peerMs, ratio } = await pair(
      25,
      async () => {
        const start = performance.now()
        await domain.start()
        const console = await domain.openConsole()
        await ready(console, console)
        const ms = performance.now() - start
        console.destroy()
        await domain.destroy()
        return ms
      },
      async () => {
        const start = performance.now()
        const machine = ['-M', 'pc', '-accel', 'tcg', '-m', '64', '-bios', rom]
        const child = spawn('qemu-system-x86_64', [
          ...machine,
          '-nodefaults',
          '-display',
          'none',
          '-serial',
          'stdio',
        ])
        await ready(child.stdin, child.stdout)
        const ms = performance.now() - start
        await killed(child)
        return ms
      },
    )
    return { ms: oursMs, peerMs, ratio }
  },
}
