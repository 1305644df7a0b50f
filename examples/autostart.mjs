// Defines a domain and has it started whenever the host boots: `node autostart.mjs [URI]`.

import { formatDomain, open } from 'covirt'

const connection = await open(process.argv[2] ?? 'test:///default')
try {
  const definition = {
    type: connection.type.toLowerCase(),
    name: 'web',
    memoryKib: 262_144n,
    os: { type: { type: 'hvm' } },
  }
  const web = await connection.domains.define(formatDomain(definition))
  await web.setAutostart(true)
  const names = (await connection.domains.list({ autostart: true })).map(({ name }) => name)
  console.log(`started at boot: ${names.join(', ')}`)
  await web.undefine()
} finally {
  await connection.close()
}
