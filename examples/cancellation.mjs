// Every call takes a signal. Cancelled, it undoes what it had done, and rejects with OPERATION_ABORTED.

import { isVirError, open } from 'covirt'

const connection = await open('test:///default')
try {
  const test = await connection.domains.lookupByName('test')
  await test.destroy()
  connection.driver.controls.behave('test', { startDelayMs: 60_000 })
  try {
    await test.start({ signal: AbortSignal.timeout(100) })
  } catch (error) {
    if (!isVirError(error, 'OPERATION_ABORTED')) throw error
    console.log(`gave up: the domain is ${(await test.state()).state} as before`)
  }
} finally {
  await connection.close()
}
