// A container and a virtual machine, side by side, through one connection: `npm run quickstart`.
// What cannot run on this machine is named and left out; whatever happens, nothing is left behind.

import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open } from 'covirt'
import { containerGuest, machineGuest, testGuest } from './quickstart/guests.mjs'
import { bold, printTable, step } from './quickstart/report.mjs'

const interrupt = new AbortController()
process.once('SIGINT', () => interrupt.abort())
const { signal } = interrupt

const begun = performance.now()
const root = await mkdtemp(join(tmpdir(), 'covirt-quickstart-'))
// a container has users of its own, who have to get past it
await chmod(root, 0o711)
try {
  await quickstart()
  console.log(
    `\n${bold('Done')} in ${((performance.now() - begun) / 1000).toFixed(1)} s; nothing is left behind.`,
  )
} catch (error) {
  console.error(`\n${error.message}${error.hint ? `\n${error.hint}` : ''}`)
  process.exitCode = signal.aborted ? 130 : 1
} finally {
  await rm(root, { recursive: true, force: true })
}

async function quickstart() {
  const uri = `covirt:///system?root=${root}`
  const host = await openHost(uri)
  try {
    const guests = host ? await guestsFor(host.driver.drivers()) : []
    if (guests.length > 0) return await runGuests(host, guests)
  } finally {
    await host?.close()
  }
  const playground = await step('connect to test:///default instead', () => open('test:///default'))
  try {
    await runGuests(playground, [testGuest()])
  } finally {
    await playground.close()
  }
}

/** A connection to all drivers of this host; `undefined`, having said why, where none can be used. */
async function openHost(uri) {
  try {
    return await step(`connect to ${uri}`, () => open(uri, { signal }))
  } catch (error) {
    if (error.code !== 'NO_CONNECT') throw error
    console.log(`  – ${error.message}`)
  }
}

/** One guest for each driver that can be used here. */
async function guestsFor(drivers) {
  const guests = []
  for (const driver of drivers) {
    if (!driver.available) console.log(`  – the ${driver.scheme} driver is left out: ${driver.reason}`)
    else if (driver.scheme === 'lxc') guests.push(await containerGuest(root, signal))
    else guests.push(await machineGuest())
  }
  return guests.filter((guest) => guest !== undefined)
}

async function runGuests(connection, guests) {
  const started = []
  try {
    for (const guest of guests) {
      guest.domain = await step(`define ${guest.what} '${guest.name}'`, () =>
        connection.domains.define(guest.xml, { signal }),
      )
      started.push(guest.domain)
    }
    for (const { domain, what } of guests)
      await step(`start ${what} '${domain.name}'`, () => domain.start({ signal }))
    printTable(await connection.domains.stats({}, { signal }))
    for (const { domain, talk } of guests) {
      const line = await step(`talk to '${domain.name}'`, () => talk(domain, signal))
      console.log(`      ${bold(line)}`)
    }
    await Promise.all(
      guests.map(({ domain }) =>
        step(`shut down '${domain.name}' cleanly`, async () => {
          const off = domain.waitFor('shutoff', { signal })
          await domain.shutdown({ signal })
          const { reason } = await off
          if (reason !== 'shutdown') throw new Error(`'${domain.name}' went off by '${reason}'`)
        }),
      ),
    )
  } finally {
    for (const domain of started) {
      if (await domain.isActive()) await domain.destroy()
      await step(`undefine '${domain.name}'`, () => domain.undefine())
    }
  }
}
