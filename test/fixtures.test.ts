import { execFile, spawn } from 'node:child_process'
import { access, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { describe, expect, test } from '@jest/globals'
import { cacheDirectory, cached } from './fixtures/build-cache.js'
import {
  busyboxRootfs,
  canRunKvm,
  canRunQemu,
  describeWhen,
  firmwareGuest,
  needsRoot,
  netnsBridge,
  tempRoot,
  uniqueName,
} from './fixtures/index.js'

async function talkToFirmware(options: readonly string[], letters: string): Promise<string> {
  const quiet = ['-nodefaults', '-no-user-config', '-display', 'none', '-serial', 'stdio', '-m', '64']
  const qemu = spawn('qemu-system-x86_64', [...quiet, '-bios', await firmwareGuest(), ...options], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  qemu.stdin.write(letters)
  return text(qemu.stdout)
}

describeWhen(canRunQemu(), 'the firmware guest', () => {
  test('is 64 KiB', async () => {
    const { size } = await stat(await firmwareGuest())
    expect(size).toBe(65536)
  })

  test.each(['pc', 'q35', 'microvm'])('runs emulated on %s', async (machine) => {
    const said = await talkToFirmware(['-machine', machine, '-accel', 'tcg'], 'zp')
    expect(said).toBe(`FX-READY rom machine=${machine} ram=64M\r\nFX-ECHO z\r\nFX-BYE\r\n`)
  })
})

describeWhen(canRunKvm(), 'the firmware guest on KVM', () => {
  test.each(['pc', 'q35', 'microvm'])('runs on %s', async (machine) => {
    const said = await talkToFirmware(['-machine', machine, '-accel', 'kvm', '-cpu', 'host'], 'zp')
    expect(said).toBe(`FX-READY rom machine=${machine} ram=64M\r\nFX-ECHO z\r\nFX-BYE\r\n`)
  })
})

describeWhen(needsRoot(), 'what containers need', () => {
  test('two root file systems are independent of each other', async () => {
    await using root = await tempRoot()
    const [one, two] = [await busyboxRootfs(root.join('one')), await busyboxRootfs(root.join('two'))]
    await writeFile(`${one}/etc/fstab`, 'changed')
    expect(await readFile(`${two}/etc/fstab`, 'utf8')).toBe('')
    expect((await stat(`${two}/sbin/ctinit`)).mode & 0o111).toBe(0o111)
  })

  test('a bridge exists as long as its scope', async () => {
    let link: string
    {
      await using bridge = await netnsBridge({ address: '10.87.201.1/24' })
      link = `/sys/class/net/${bridge.name}`
      await access(`${link}/bridge`)
    }
    await expect(access(link)).rejects.toThrow('ENOENT')
  })
})

describeWhen(needsRoot(), 'what fixtures build', () => {
  test('goes away, and what is mounted in it stays, where whoever built it is gone', async () => {
    await using place = await tempRoot()
    await writeFile(place.join('file'), '')
    // More than the kernel has of process ids.
    const left = join(await cacheDirectory(), `.${uniqueName('left')}-99999999-abcdef`)
    await mkdir(join(left, 'mounted'), { recursive: true })
    await promisify(execFile)('mount', ['--bind', place.path, join(left, 'mounted')])
    const built = await cached(uniqueName('built'), [], (directory) => writeFile(join(directory, 'done'), ''))
    await expect(access(left)).rejects.toThrow('ENOENT')
    await access(place.join('file'))
    await access(join(built, 'done'))
    await rm(built, { recursive: true })
  })
})

describe('names and places', () => {
  test('a temporary root goes away with its content', async () => {
    let path: string
    {
      await using root = await tempRoot()
      path = root.path
      await writeFile(root.join('file'), '')
    }
    await expect(access(path)).rejects.toThrow('ENOENT')
  })

  test('names are unique', () => {
    const names = Array.from({ length: 100 }, () => uniqueName('web'))
    expect(new Set(names).size).toBe(100)
  })
})
