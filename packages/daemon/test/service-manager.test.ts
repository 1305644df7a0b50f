import { spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { createInterface, type Interface } from 'node:readline'
import { describe, expect, test } from '@jest/globals'
import { canRunVirsh, describeWhen, tempRoot } from '../../../test/fixtures/index.js'
import { inheritedSockets } from '../src/listen/activation.js'
import { startDaemon, virsh } from './daemon-process.js'

/** What systemd would hear: prints each datagram as a line, ends of lines as `|`. */
async function notifySocket(path: string): Promise<{ lines: AsyncIterator<string>; end(): void }> {
  const python = spawn('python3', [
    '-c',
    `import socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(${JSON.stringify(path)})
print('bound', flush=True)
while True: print(s.recv(4096).decode().replace('\\n', '|'), flush=True)`,
  ])
  const reader: Interface = createInterface(python.stdout)
  const lines = reader[Symbol.asyncIterator]()
  await lines.next()
  return { lines, end: () => void python.kill('SIGKILL') }
}

async function hears(lines: AsyncIterator<string>, wanted: RegExp): Promise<string> {
  for (;;) {
    const { value, done } = await lines.next()
    if (done) throw new Error(`never heard ${wanted}`)
    if (wanted.test(value)) return value
  }
}

describeWhen(canRunVirsh(), 'systemd', () => {
  test('is told of the whole life of the daemon', async () => {
    await using root = await tempRoot()
    const manager = await notifySocket(root.join('notify'))
    const environment = { NOTIFY_SOCKET: root.join('notify'), WATCHDOG_USEC: '200000' }
    await using daemon = await startDaemon({ root: root.path, environment })

    await expect(hears(manager.lines, /^READY=1/)).resolves.toBe('READY=1|STATUS=serving 1 drivers')
    await hears(manager.lines, /^WATCHDOG=1$/)
    await hears(manager.lines, /^WATCHDOG=1$/)
    daemon.signal('SIGHUP')
    await hears(manager.lines, /^RELOADING=1\|MONOTONIC_USEC=\d+$/)
    await hears(manager.lines, /^READY=1/)
    const ended = daemon.end()
    await hears(manager.lines, /^STOPPING=1$/)
    await expect(ended).resolves.toBe(0)
    manager.end()
  })

  test('passes on the sockets, which then stay when the daemon ends', async () => {
    await using root = await tempRoot()
    const [main, readOnly] = [root.join('main'), root.join('readers')]
    const activator = root.join('activate.py')
    await writeFile(
      activator,
      `import os, socket, sys
held = []
for number, path in ((3, ${JSON.stringify(main)}), (4, ${JSON.stringify(readOnly)})):
    s = socket.socket(socket.AF_UNIX)
    s.bind(path); s.listen()
    held.append(s)
spare = [os.dup2(s.fileno(), 20 + i) for i, s in enumerate(held)]
for i, fd in enumerate(spare): os.dup2(fd, 3 + i, inheritable=True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='2', LISTEN_FDNAMES='covirt:covirt-ro')
os.execv(sys.argv[1], sys.argv[1:])
`,
    )
    await using daemon = await startDaemon({ wrapper: ['python3', activator] })
    const uri = (path: string) => `test+unix:///default?socket=${path}`

    await expect(virsh(uri(main), 'suspend', 'test')).resolves.toMatchObject({ code: 0 })
    await expect(virsh(uri(readOnly), 'domstate', 'test')).resolves.toMatchObject({ stdout: 'paused\n' })
    await expect(virsh(uri(readOnly), 'resume', 'test')).resolves.toMatchObject({ code: 1 })
    const { listening } = await daemon.logged('covirtd is ready')
    expect(listening).toBe(`${main},${readOnly}`)
  })
})

describe('what was passed on', () => {
  test('is only for the process that it names, and is told once', () => {
    const environment = { LISTEN_PID: '7', LISTEN_FDS: '2', LISTEN_FDNAMES: 'a', PATH: '/bin' }
    expect(inheritedSockets({ ...environment }, 8)).toEqual([])
    expect(inheritedSockets(environment, 7)).toEqual([
      { descriptor: 3, name: 'a' },
      { descriptor: 4, name: '' },
    ])
    expect(environment).toEqual({ PATH: '/bin' })
  })

  test.each(['', '-1', '1e9', 'many', undefined])('is nothing where the number is %j', (count) => {
    expect(inheritedSockets({ LISTEN_PID: '7', LISTEN_FDS: count }, 7)).toEqual([])
  })
})
