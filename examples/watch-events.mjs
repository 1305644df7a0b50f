// Prints what happens to domains, ten events at the most: `node watch-events.mjs [URI]`; ^C ends it.
// On the test driver it makes something happen, as nobody else would.

import { open } from 'covirt'

const uri = process.argv[2] ?? 'test:///default'
const interrupt = new AbortController()
process.once('SIGINT', () => interrupt.abort())

const connection = await open(uri)
// Drivers keep no process alive: a program that only waits says so.
const alive = setInterval(() => {}, 60_000)
try {
  const events = connection.events({ signal: interrupt.signal })
  const play = uri.startsWith('test:') ? restartTest(connection) : undefined
  let left = play ? 3 : 10
  for await (const event of events) {
    if (event.type === 'resync') console.log('some events were lost: list the domains again')
    else if (event.type === 'lifecycle') console.log(`${event.domain.name}: ${event.event} (${event.detail})`)
    else console.log(`${event.domain.name}: ${event.type}`)
    left -= 1
    if (left === 0) break
  }
  await play
} finally {
  clearInterval(alive)
  await connection.close()
}

async function restartTest({ domains }) {
  const test = await domains.lookupByName('test')
  await test.suspend()
  await test.destroy()
  await test.start()
}
