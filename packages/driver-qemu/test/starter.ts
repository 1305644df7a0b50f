// Starts the domain of a definition and stays: `starter.ts URI FILE STEP`. Imports packages alone. Says STEP when it has come so far, or the
// error as JSON.
import { once } from 'node:events'
import { open, readFile } from 'node:fs/promises'
import { Connection, parseConnectUri } from '@covirt/core'
import { qemuProvider } from '@covirt/driver-qemu'

const [uri = '', file = '', step = ''] = process.argv.slice(2)
const connection = new Connection(await qemuProvider.open(parseConnectUri(uri)))
const domain = await connection.domains.define(await readFile(file, 'utf8'))

const steps: Readonly<Record<string, () => Promise<void>>> = {
  async starting() {
    domain.start().catch(() => {})
  },
  async started() {
    await domain.start()
  },
  async suspended() {
    await domain.start({ paused: true })
  },
  /** The state is written, but not in its place. */
  async saving() {
    await domain.start()
    await saveUpTo(1)
  },
  /** The state is in its place, and the guest is still there. */
  async saved() {
    await domain.start()
    await saveUpTo(2)
  },
  /** The guest is to restart, but does not act on the power button. */
  async asked() {
    await domain.start({ paused: true })
    const console = await domain.openConsole()
    let heard = ''
    console.on('data', (chunk: Buffer) => {
      heard += chunk.toString()
    })
    await domain.resume()
    while (!heard.includes('FX-READY')) await once(console, 'data')
    console.write('i')
    while (!heard.includes('FX-IGNORE 1')) await once(console, 'data')
    console.destroy()
    await domain.reboot({ mode: 'acpi' })
  },
}
/** Saves the guest, and stands still when it has something put on disk for good for the `count`th time. */
async function saveUpTo(count: number): Promise<void> {
  const handle = await open(file)
  const prototype = Object.getPrototypeOf(handle) as { sync(): Promise<void> }
  await handle.close()
  const { sync } = prototype
  let left = count
  await new Promise<void>((resolve, reject) => {
    prototype.sync = function () {
      left -= 1
      if (left > 0) return sync.call(this)
      resolve()
      return new Promise(() => {})
    }
    domain.managedSave().catch(reject)
  })
}

try {
  await steps[step]?.()
  process.stdout.write(`${step}\n`)
} catch (error) {
  process.stdout.write(`${JSON.stringify(error)}\n`)
}
