import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { canRunPythonLibvirt, canRunVirsh, describeWhen, tempRoot } from '../../../test/fixtures/index.js'
import { domainXml, root, serverScene } from './support/scene.js'

const run = promisify(execFile)

/** A server on a unix socket, with one running domain `test`, for clients that are programs of their own. */
async function listeningScene() {
  const scene = await serverScene()
  const directory = await tempRoot()
  const path = directory.join('sock')
  const listener = createServer((socket) => scene.server.accept(socket, root))
  listener.listen(path)
  await once(listener, 'listening')
  const [, world] = scene.uri.split('?') as [string, string]
  return {
    ...scene,
    directory,
    uri: `test+unix:///default?socket=${path}&${world}`,
    close: async () => {
      await scene[Symbol.asyncDispose]()
      listener.close()
      await directory[Symbol.asyncDispose]()
    },
  }
}

type Listening = Awaited<ReturnType<typeof listeningScene>>

describeWhen(canRunVirsh(), 'virsh', () => {
  let scene: Listening
  beforeEach(async () => {
    scene = await listeningScene()
  })
  afterEach(() => scene.close())

  /** What it prints for these commands, which all have to succeed. */
  const virsh = async (...commands: readonly string[]): Promise<string> => {
    const { stdout } = await run('virsh', ['-q', '-c', scene.uri, commands.join('; ')])
    return stdout
  }
  const refusal = async (command: string): Promise<string> =>
    run('virsh', ['-q', '-c', scene.uri, command]).then(
      () => 'it was not refused',
      ({ stderr }: { stderr: string }) => stderr,
    )

  /** The path of a file with this text. */
  const file = async (text: string): Promise<string> => {
    const path = scene.directory.join('domain.xml')
    await writeFile(path, text)
    return path
  }

  test('changes devices and limits of a guest, of its definition, or of both', async () => {
    const disk = await file("<disk type='file'><source file='/x'/><target dev='vdz'/></disk>")
    await virsh(`attach-device test ${disk} --live --config`, 'detach-device-alias test disks0')
    expect(await virsh('domblklist test --inactive')).toMatch(/vdz +\/x/)
    expect(await virsh('domblklist test')).not.toMatch('vdz')
    expect(await refusal(`detach-device test ${disk} --live`)).toMatch('has no <disk> like this')
    await virsh('setmem test 1G', 'setvcpus test 3 --maximum --config', 'setmaxmem test 1G --config')
    expect(await virsh('dominfo test')).toMatch(/Used memory: +1048576 KiB/)
    expect(await virsh('vcpucount test --maximum --config')).toBe('3\n')
    expect(await virsh('schedinfo test --set cpu_shares=7 vcpu_quota=5000')).toMatch(/cpu_shares +: 7/)
    expect(await virsh('schedinfo test --config')).toMatch(/cpu_shares +: 1024/)
    const memory = await virsh('memtune test --hard-limit 1048576 --config', 'memtune test --config')
    expect(memory).toMatch(/hard_limit +: 1048576\nsoft_limit +: unlimited/)
    await virsh('blkiotune test --weight 300 --device-read-iops-sec /dev/sda,10,/dev/sdb,20')
    expect(await virsh('blkiotune test')).toMatch(/300\n.*read_iops_sec: \/dev\/sda,10,\/dev\/sdb,20/s)
    expect(await refusal('setmem test 9G')).toMatch('cannot have 9437184 KiB')
  })

  test('lists domains', async () => {
    await virsh(`define ${await file(domainXml('off'))}`)
    expect(await virsh('list --all')).toMatch(/1 +test +running\n - +off +shut off/)
    expect(await virsh('list --name')).toBe('test\n')
    await virsh('undefine off')
    expect(await virsh('list --all')).not.toMatch('off')
  })

  test('tells all about a domain', async () => {
    const text = await virsh(
      'dominfo test',
      'domstate test --reason',
      'domid test',
      'domuuid test',
      'domname 1',
    )
    expect(text).toMatch(/OS Type: +hvm\nState: +running\nCPU\(s\): +2\n/)
    expect(text).toMatch(/Persistent: +yes\nAutostart: +disable\nManaged save: +no\n/)
    expect(text).toMatch('running (booted)\n1\n6695eb01-f6a4-8304-79aa-97f2502e193f\ntest\n')
  })

  test('tells statistics', async () => {
    const text = await virsh(
      'domstats',
      'dommemstat test',
      'cpu-stats test',
      'vcpucount test',
      'vcpuinfo test',
    )
    expect(text).toMatch(/state\.state=1\n +state\.reason=1\n +cpu\.time=\d+\n +balloon\.current=2097152/)
    expect(text).toMatch(/actual 2097152/)
    expect(text).toMatch(/Total:\n\tcpu_time/)
    expect(text).toMatch(/current +live +2/)
  })

  test('tells about the host', async () => {
    const text = await virsh(
      'nodeinfo',
      'hostname',
      'version',
      'capabilities',
      'maxvcpus',
      'nodecpumap',
      'nodememstats',
    )
    expect(text).toMatch(/CPU model: +i686\nCPU\(s\): +16/)
    expect(text).toMatch('Using API: TEST')
    expect(text).toMatch('<capabilities>')
    expect(text).toMatch(/total *: +\d+ KiB/)
  })

  test('shows documents', async () => {
    expect(await virsh('dumpxml test')).toMatch("<domain type='test' id='1'>")
    expect(await virsh('dumpxml test --inactive')).toMatch("<domain type='test'>")
  })

  test('marks domains for the start of the host', async () => {
    await virsh('autostart test')
    expect(await virsh('list --autostart --name')).toBe('test\n')
    await virsh('autostart test --disable')
    expect(await virsh('list --autostart --name')).toBe('')
  })

  test('changes and shows title, description and metadata', async () => {
    await virsh('desc test --live --config a description', 'desc test --live --title a title')
    expect(await virsh('desc test')).toMatch('a description')
    expect(await virsh('list --title')).toMatch(/test +running +a title/)
    await virsh("metadata test urn:example:mine --key my --set '<note/>'")
    expect(await virsh('metadata test urn:example:mine')).toBe('<note/>\n')
    expect(await virsh('dumpxml test')).toMatch("<my:note xmlns:my='urn:example:mine'/>")
    await virsh('metadata test urn:example:mine --remove')
    expect(await refusal('metadata test urn:example:mine')).toMatch('no such metadata')
  })

  test('brings a domain down and up', async () => {
    await virsh('suspend test')
    expect(await virsh('domstate test --reason')).toBe('paused (user)\n')
    await virsh('resume test', 'reboot test', 'reset test', 'shutdown test')
    expect(await virsh('domstate test --reason')).toBe('shut off (shutdown)\n')
    await virsh('start test --paused', 'resume test', 'destroy test', 'start test')
    expect(await virsh('domstate test --reason')).toBe('running (booted)\n')
  })

  test('creates a domain that is gone once it is off', async () => {
    await virsh(`create ${await file(domainXml('brief'))}`, 'destroy brief')
    expect(await refusal('domstate brief')).toMatch("failed to get domain 'brief'")
  })

  test('renames a domain', async () => {
    await virsh(`define ${await file(domainXml('one'))}`, 'domrename one two', 'undefine two')
    expect(await virsh('list --all --name')).toBe('test\n')
  })

  test('takes snapshots, goes back to them, and shows and deletes them', async () => {
    await virsh('snapshot-create-as test first', 'snapshot-create-as test second')
    expect(await virsh('snapshot-list test --tree')).toMatch(/first\n {2}\|\n {2}\+- second/)
    expect(await virsh('snapshot-current test --name')).toBe('second')
    expect(await virsh('snapshot-parent test second')).toMatch('first')
    await virsh('snapshot-revert test first', 'snapshot-delete test first --children', 'domstate test')
    expect(await virsh('snapshot-list test --name')).toBe('')
  })

  test('saves a guest and restores it', async () => {
    await virsh('managedsave test')
    expect(await virsh('list --all --managed-save')).toMatch(/test +saved/)
    await virsh('start test')
    expect(await virsh('domstate test --reason')).toBe('running (restored)\n')
    expect(await virsh('dominfo test')).toMatch(/Managed save: +no/)
  })

  test('presses keys, interrupts, and takes a picture of the screen', async () => {
    const picture = scene.directory.join('picture')
    await virsh(`create ${await file(domainXml('seen', "<devices><graphics type='vnc'/></devices>"))}`)
    await virsh('send-key seen KEY_ENTER', 'inject-nmi seen', `screenshot seen ${picture}`, 'destroy seen')
    expect((await readFile(picture)).length).toBeGreaterThan(0)
  })

  test('tells what is counted by device', async () => {
    const disk = "<devices><disk type='file'><target dev='vda'/></disk></devices>"
    await virsh(`create ${await file(domainXml('counted', disk))}`)
    const text = await virsh(
      'domblkstat counted vda',
      'domblkinfo counted vda',
      'domstats counted --block',
      'destroy counted',
    )
    expect(text).toMatch(/vda rd_req \d+/)
    expect(text).toMatch(/Capacity:/)
    expect(text).toMatch(/block\.count=1\n +block\.0\.name=vda/)
  })

  test('finds nothing where there is nothing yet', async () => {
    const lists = ['net-list', 'pool-list', 'iface-list', 'nodedev-list', 'nwfilter-list', 'secret-list']
    expect((await virsh(...lists, 'checkpoint-list test')).trim()).toBe('')
  })

  test('is told why something is refused', async () => {
    expect(await refusal('start test')).toMatch('Domain is already active')
    expect(await refusal('dominfo nobody')).toMatch("failed to get domain 'nobody'")
    expect(await refusal('net-info default')).toMatch('There is no network')
    expect(await refusal('iothreadinfo test')).toMatch('is not supported')
  })

  test('may change nothing when it is read-only', async () => {
    const refused = run('virsh', ['-r', '-c', scene.uri, 'destroy test'])
    await expect(refused).rejects.toMatchObject({ stderr: expect.stringMatching('read only access') })
  })

  test('prints events as they happen', async () => {
    const child = spawn('virsh', ['-c', scene.uri, 'event', '--all', '--loop'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    const lines: string[] = []
    const { driver } = scene.connection
    const domain = await driver.lookupDomain({ name: 'test' })
    const reader = createInterface(child.stdout)
    reader.on('line', (line) => lines.push(line))
    // It says nothing once it is registered: events come until it has seen one.
    while (lines.length === 0) {
      await driver.suspendDomain(domain)
      await driver.resumeDomain(domain)
      await Promise.race([once(reader, 'line'), new Promise((resolve) => setTimeout(resolve, 50))])
    }
    await driver.rebootDomain(domain)
    while (!lines.includes("event 'reboot' for domain 'test'")) await once(reader, 'line')
    child.kill()
    expect(lines.join('\n')).toMatch(
      /event 'lifecycle' for domain 'test': (Suspended Paused|Resumed Unpaused)/,
    )
  })

  test('opens a console, on which what is typed is seen', async () => {
    const command = `virsh -c '${scene.uri}' console test`
    const child = spawn('script', ['-qefc', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'ignore'] })
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
    // The terminal is as virsh needs it once something has come from the guest.
    while (!text.includes('login:')) {
      scene.controls.print('test', 'login:')
      await Promise.race([once(child.stdout, 'data'), new Promise((resolve) => setTimeout(resolve, 50))])
    }
    child.stdin.write('hello\r')
    while (!text.includes('hello')) await once(child.stdout, 'data')
    child.stdin.write('\u001d')
    const [code] = await once(child, 'exit')
    expect(code).toBe(0)
  })
})

describeWhen(canRunPythonLibvirt(), 'python3-libvirt', () => {
  let scene: Listening
  beforeEach(async () => {
    scene = await listeningScene()
  })
  afterEach(() => scene.close())

  const python = async (...lines: readonly string[]): Promise<unknown> => {
    const program = [
      'import json, libvirt, sys, threading',
      'libvirt.registerErrorHandler(lambda *a: None, None)',
      ...lines,
      'print(json.dumps(result))',
    ].join('\n')
    const { stdout } = await run('/usr/bin/python3', ['-c', program, scene.uri])
    return JSON.parse(stdout)
  }

  test('looks up, lists, and tells state and information', async () => {
    const result = await python(
      'c = libvirt.open(sys.argv[1])',
      "d = c.lookupByName('test')",
      'result = [d.UUIDString(), d.ID(), d.state()[0], d.info()[3], c.numOfDomains(), c.listDomainsID(),',
      '  [x.name() for x in c.listAllDomains()], c.getInfo()[0], d.isActive(), d.isPersistent(), d.OSType(),',
      "  c.getAllDomainStats()[0][1]['state.state'], c.isSecure(), c.isAlive()]",
    )
    const uuid = '6695eb01-f6a4-8304-79aa-97f2502e193f'
    expect(result).toEqual([uuid, 1, 1, 2, 1, [1], ['test'], 'i686', 1, 1, 'hvm', 1, 1, 1])
  })

  test('gets the error codes that programs decide by', async () => {
    const result = await python(
      'c = libvirt.open(sys.argv[1])',
      'def code(f):',
      '  try: f()',
      '  except libvirt.libvirtError as e: return e.get_error_code()',
      "d = c.lookupByName('test')",
      "result = [code(lambda: c.lookupByName('x')), code(lambda: c.networkLookupByName('x')),",
      "  code(lambda: c.storagePoolLookupByName('x')), code(lambda: c.storageVolLookupByPath('/x')),",
      "  code(lambda: d.create()), code(lambda: d.ioThreadInfo()), code(lambda: c.defineXML('<x/>')),",
      '  code(lambda: d.metadata(0, None))]',
    )
    expect(result).toEqual([42, 43, 49, 50, 55, 3, 27, 80])
  })

  test('gets events through an event loop that answers signs of life', async () => {
    const result = await python(
      'libvirt.virEventRegisterDefaultImpl()',
      'loop = threading.Thread(target=lambda: [libvirt.virEventRunDefaultImpl() for _ in iter(int, 1)], daemon=True)',
      'loop.start()',
      'c = libvirt.open(sys.argv[1])',
      'c.setKeepAlive(1, 3)',
      'seen, done = [], threading.Event()',
      'def told(conn, dom, event, detail, opaque):',
      '  seen.append([dom.name(), event, detail])',
      '  if len(seen) == 3: done.set()',
      'c.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, told, None)',
      "d = c.lookupByName('test')",
      'd.suspend(); d.resume(); d.destroy(); done.wait(10); d.create()',
      'result = seen[:3]',
    )
    expect(result).toEqual([
      ['test', 3, 0],
      ['test', 4, 0],
      ['test', 5, 1],
    ])
  })

  test('uses a console in both directions until the guest goes off', async () => {
    const result = await python(
      'c = libvirt.open(sys.argv[1])',
      "d = c.lookupByName('test')",
      's = c.newStream(0)',
      'd.openConsole(None, s, 0)',
      "s.send(b'x' * 100000)",
      'got = 0',
      'while got < 100000: got += len(s.recv(65536))',
      'd.destroy()',
      'end = len(s.recv(10))',
      's.finish()',
      'd.create()',
      'result = [got, end]',
    )
    expect(result).toEqual([100_000, 0])
  })
})
