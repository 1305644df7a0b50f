/** Serves the test driver at the unix socket that it is told, in a process of its own, until its input ends. */
import { createServer } from 'node:net'
import { parseConnectUri } from '@covirt/core'
import { testProvider } from '@covirt/driver-test'
import { Server } from '@covirt/server'

const [path = ''] = process.argv.slice(2)
const server = new Server({ open: () => testProvider.open(parseConnectUri('test:///default')) })
const listener = createServer((socket) => server.accept(socket, { name: 'bench', transport: 'unix' }))
listener.listen(path, () => console.log('listening'))
process.stdin.resume().on('end', () => process.exit())
