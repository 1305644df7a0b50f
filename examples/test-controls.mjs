// The test driver pretends machines and lets you decide what happens to them, to try out how a program takes it.

import { open } from 'covirt'

const connection = await open('test:///default')
try {
  const { controls } = connection.driver
  const test = await connection.domains.lookupByName('test')

  controls.crash('test', 'a cosmic ray')
  const crashed = await test.waitFor('shutoff')
  console.log(`after a crash it is ${crashed.state}, because: ${crashed.reason}`)

  await test.start()
  controls.powerOff('test')
  const off = await test.waitFor('shutoff')
  console.log(`after it switched itself off it is ${off.state}, because: ${off.reason}`)
} finally {
  await connection.close()
}
