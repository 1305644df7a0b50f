// A container and a virtual machine, side by side, through one connection: `npm run quickstart`.
// What cannot run on this machine is named and left out; whatever happens, nothing is left behind.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open } from 'covirt'
import { containerGuest, machineGuest, testGuest } from './quickstart/guests.mjs'
import { bold, dim, printTable, step } from './quickstart/report.mjs'

const interrupt = new AbortController()
process.once('SIGINT', () => interrupt.abort())
const { signal } = interrupt

const begun = performance.now()
const root = await mkdtemp(join(tmpdir(), 'covirt-quickstart-'))
try {
  await quickstart()
  console.log(
    `\n${bold('Done')} in ${((performance.now() - begun) / 1000).toFixed(1)} s; nothing is left behind.`,
  )
} finally {
  await rm(root, { recursive: true, force: true })
}

async function quickstart() {
  const uri = `covirt:///system?root=${root}`
  await using host = await step(`connect to ${uri}`, () => open(uri, { signal }))
  const usable = []
  for (const driver of host.driver.drivers()) {
    if (driver.available) usable.push(driver.scheme)
    else console.log(`  ${dim('–')} the ${driver.scheme} driver is left out: ${driver.reason}`)
  }
  const guests = []
  if (usable.includes('lxc')) guests.push(await containerGuest(root, signal))
  if (usable.includes('qemu')) guests.push(await machineGuest(signal))
  const ready = guests.filter((guest) => guest !== undefined)
  if (ready.length > 0) return runGuests(host, ready)
  await using playground = await step('connect to test:///default instead', () => open('test:///default'))
  await runGuests(playground, [testGuest()])
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
