import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { open, readFile } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { expect, test } from '@jest/globals'
import { canRunLxc, describeWhen, tempRoot } from '../../../test/fixtures/index.js'
import { peerCredentials, sendDatagram, sendDescriptor } from '../ts/index.js'

describeWhen(canRunLxc(), 'unix sockets', () => {
  test('say who is at their other end', async () => {
    await using root = await tempRoot()
    const { accepted, close } = await pair(root.join('socket'))

    const peer = peerCredentials(descriptorOf(accepted))

    expect(peer).toMatchObject({ pid: process.pid, uid: process.getuid?.(), gid: process.getgid?.() })
    close()
  })

  test('know all groups of a peer that has many', async () => {
    await using root = await tempRoot()
    const groups = Array.from({ length: 200 }, (_, index) => 5000 + index)
    const server = createServer().listen(root.join('socket'))
    await once(server, 'listening')
    const python = spawn('python3', [
      '-c',
      `import os, socket; os.setgroups(${JSON.stringify(groups)}); s = socket.socket(socket.AF_UNIX); s.connect(${JSON.stringify(root.join('socket'))}); s.recv(1)`,
    ])
    const [accepted] = (await once(server, 'connection')) as [Socket]

    const peer = peerCredentials(descriptorOf(accepted))

    expect(peer).toMatchObject({ pid: python.pid, groups })
    accepted.end('x')
    await once(python, 'exit')
    server.close()
  })

  test('pass an open file to the peer', async () => {
    await using root = await tempRoot()
    const path = root.join('written-by-the-peer')
    const server = createServer().listen(root.join('socket'))
    await once(server, 'listening')
    const python = spawn('python3', [
      '-c',
      `import os, socket
s = socket.socket(socket.AF_UNIX)
s.connect(${JSON.stringify(root.join('socket'))})
data, descriptors, _, _ = socket.recv_fds(s, 1, 4)
os.write(descriptors[0], repr((data, len(descriptors))).encode())`,
    ])
    const [accepted] = (await once(server, 'connection')) as [Socket]
    const file = await open(path, 'w')

    const sent = sendDescriptor(descriptorOf(accepted), file.fd)
    await once(python, 'exit')

    expect(sent).toBe(true)
    await expect(readFile(path, 'utf8')).resolves.toBe("(b'\\x00', 1)")
    await file.close()
    accepted.destroy()
    server.close()
  })

  test('that are full take no descriptor, and say so', async () => {
    await using root = await tempRoot()
    const { client, accepted, close } = await pair(root.join('socket'))
    client.pause()
    const file = await open('/dev/null')
    const fill = () => sendDescriptor(descriptorOf(accepted), file.fd)

    const results = Array.from({ length: 3000 }, fill)

    expect(results[0]).toBe(true)
    expect(results.at(-1)).toBe(false)
    await file.close()
    close()
  })

  test.each(['named', 'abstract'])('that are %s take datagrams', async (kind) => {
    await using root = await tempRoot()
    const path = kind === 'named' ? root.join('notify') : `@${root.path.slice(1)}`
    const address = kind === 'named' ? path : `\0${path.slice(1)}`
    const python = spawn('python3', [
      '-c',
      `import socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(${JSON.stringify(address)})
print('bound', flush=True)
print(repr(s.recv(4096)), flush=True)`,
    ])
    const lines = createInterface(python.stdout)[Symbol.asyncIterator]()
    await lines.next()

    sendDatagram(path, 'READY=1\nSTATUS=ready')

    await expect(lines.next()).resolves.toMatchObject({ value: String.raw`b'READY=1\nSTATUS=ready'` })
    await once(python, 'close')
  })

  test('nobody listens on refuse a datagram', () => {
    expect(() => sendDatagram('/nowhere/notify', 'READY=1')).toThrow('ENOENT')
    expect(() => sendDatagram(`/${'long'.repeat(40)}`, 'READY=1')).toThrow('ENAMETOOLONG')
  })
})

async function pair(path: string) {
  const server = createServer().listen(path)
  await once(server, 'listening')
  const client = connect(path)
  const [accepted] = (await once(server, 'connection')) as [Socket]
  const close = () => {
    client.destroy()
    accepted.destroy()
    server.close()
  }
  return { client, accepted, close }
}

function descriptorOf(socket: Socket): number {
  return (socket as unknown as { _handle: { fd: number } })._handle.fd
}
