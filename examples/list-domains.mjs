// Lists the domains of a connection: `node list-domains.mjs [URI]`.

import { open } from 'covirt'

const connection = await open(process.argv[2] ?? 'test:///default')
try {
  for (const { domain, type, state, memoryKib, autostart } of await connection.domains.stats()) {
    const notes = autostart ? ', starts at boot' : ''
    console.log(`${domain.name} (${type}): ${state.state}, ${memoryKib} KiB${notes}`)
  }
} finally {
  await connection.close()
}
