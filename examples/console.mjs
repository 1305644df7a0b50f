// Says something on the console of a guest and prints what comes back:
// `node console.mjs [URI] [DOMAIN] [TEXT]`.

import { open } from 'covirt'

const [uri = 'test:///default', name = 'test', text = 'hello, guest'] = process.argv.slice(2)

const connection = await open(uri)
try {
  const domain = await connection.domains.lookupByName(name)
  const console_ = await domain.openConsole()
  console_.write(`${text}\n`)
  for await (const bytes of console_) {
    process.stdout.write(bytes)
    if (bytes.includes('\n')) break
  }
} finally {
  await connection.close()
}
