import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { watch } from 'node:fs'
import {
  copyFile,
  lstat,
  mkdir,
  open,
  readdir,
  readFile,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from '@jest/globals'
import { canRunLxc, describeWhen, type TempRoot, tempRoot } from '../../../test/fixtures/index.js'
import { programPath } from '../ts/binding.js'
import { copyTree, lockFile, removeTree, syncFileSystem } from '../ts/index.js'
import { runChild } from './support/run-child.js'

const run = promisify(execFile)
const oddTree = fileURLToPath(new URL('./support/odd-tree.py', import.meta.url))
const most = { maxBuffer: 64 * 1024 * 1024 }

/** For each directory the lines of all that is in it: names, content and everything that is known of each. */
async function factsOf(...directories: readonly string[]): Promise<string[][]> {
  const { stdout } = await run('python3', [oddTree, 'facts', ...directories], most)
  return stdout.split('\n\n').map((facts) => facts.trim().split('\n'))
}

async function makeOddTree(directory: string, deeper: string, levels: number): Promise<string> {
  await run('python3', [oddTree, 'make', directory, deeper, String(levels)])
  return directory
}

/** Of what is read later: times that this does not change (mount(8), relatime). */
const later = new Date('2040-01-01')

/** A directory with one file. */
async function makeTree(directory: string, content = 'text'): Promise<string> {
  await mkdir(directory)
  await writeFile(join(directory, 'file'), content)
  for (const path of [join(directory, 'file'), directory]) await utimes(path, later, new Date('2020-01-01'))
  return directory
}

async function isRunning(argv: readonly string[]): Promise<boolean> {
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry))
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')))
  return lines.includes(`${argv.join('\0')}\0`)
}

/** Runs a program as a user who is nobody in particular. */
async function asNobody(program: string, ...args: string[]): Promise<{ stdout: string; stderr: string }> {
  const who = ['--reuid', '65534', '--regid', '65534', '--clear-groups']
  return run('setpriv', [...who, program, ...args])
}

/** A directory of that user, and the program where he can reach it. */
async function nobodysPlace(here: TempRoot): Promise<{ readonly home: string; readonly program: string }> {
  const program = here.join('covirt-lxc')
  await copyFile(programPath(), program)
  await run('install', ['-d', '-o', '65534', '-g', '65534', here.join('home')])
  return { program, home: here.join('home') }
}

describeWhen(canRunLxc(), 'the copy of a tree', () => {
  test('has everything that one of cp(1) has: names, holes, links, owners, attributes, times, at any depth', async () => {
    await using here = await tempRoot()
    const source = await makeOddTree(here.join('source'), 'deeper', 300)
    await run('cp', ['-a', source, here.join('by-cp')])

    await copyTree(source, here.join('copy'))

    const [original, copied, byCp] = await factsOf(source, here.join('copy'), here.join('by-cp'))
    expect(copied).toEqual(original)
    expect(copied).toEqual(byCp)
    expect((await readdir(here.path)).sort()).toEqual(['by-cp', 'copy', 'source'])
  })

  test('goes deeper than any path can say, and is removed from there', async () => {
    await using here = await tempRoot()
    const [source, copy] = [here.join('source'), here.join('copy')]
    await makeOddTree(source, 'x'.repeat(200), 60)

    await copyTree(source, copy)

    const [original, copied] = await factsOf(source, copy)
    expect(copied).toEqual(original)
    await Promise.all([removeTree(source), removeTree(copy)])
    expect(await readdir(here.path)).toEqual([])
  })

  test('of another file system has everything, too', async () => {
    await using here = await tempRoot()
    const source = await makeOddTree(here.join('source'), 'deeper', 2)
    await mkdir(here.join('memory'))
    await run('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'none', here.join('memory')])
    await run('cp', ['-a', source, here.join('memory/by-cp')])

    await copyTree(source, here.join('memory/copy'))

    const [copied, byCp] = await factsOf(here.join('memory/copy'), here.join('memory/by-cp'))
    expect(copied).toEqual(byCp)
  })

  test('has nothing of what is mounted in the tree, also from the same file system, but its places', async () => {
    await using here = await tempRoot()
    const source = await makeTree(here.join('source'))
    for (const name of ['other', 'same']) await mkdir(join(source, name))
    await writeFile(join(source, 'single'), 'below')
    await mkdir(here.join('elsewhere'), { mode: 0o750 })
    await writeFile(here.join('elsewhere/secret'), 'secret')
    await run('mount', ['-t', 'tmpfs', '-o', 'mode=710', 'none', join(source, 'other')])
    await writeFile(join(source, 'other/secret'), 'secret')
    await run('mount', ['--bind', here.join('elsewhere'), join(source, 'same')])
    await run('mount', ['--bind', here.join('elsewhere/secret'), join(source, 'single')])

    await copyTree(source, here.join('copy'))

    expect(await readdir(here.join('copy/other'))).toEqual([])
    expect(await readdir(here.join('copy/same'))).toEqual([])
    expect(await readFile(here.join('copy/single'), 'utf8')).toBe('')
    expect((await stat(here.join('copy/other'))).mode & 0o7777).toBe(0o710)
    expect((await stat(here.join('copy/same'))).mode & 0o7777).toBe(0o750)
  })

  test('takes nothing over from the directory that it is made in', async () => {
    await using here = await tempRoot()
    const source = await makeTree(here.join('source'))
    await mkdir(here.join('group'))
    await run('chown', ['0:4321', here.join('group')])
    await run('chmod', ['2777', here.join('group')])

    await copyTree(source, here.join('group/copy'))

    const [copied, original] = await factsOf(here.join('group/copy'), source)
    expect(copied).toEqual(original)
    const flags = await run('lsattr', ['-d', here.join('group')]).catch(() => ({ stdout: '' }))
    expect(flags.stdout.split(' ')[0]).not.toContain('T')
  })

  test('is of what a link leads to that names the tree, and never of what links in it lead to', async () => {
    await using here = await tempRoot()
    await makeTree(here.join('secret'), 'secret')
    const source = await makeTree(here.join('source'))
    await symlink('../secret', join(source, 'link'))
    await symlink('source', here.join('name'))

    await copyTree(here.join('name'), here.join('copy'))

    expect(await readFile(here.join('copy/file'), 'utf8')).toBe('text')
    expect((await lstat(here.join('copy/link'))).isSymbolicLink()).toBe(true)
  })

  test('has nothing from outside, though the tree is changed meanwhile', async () => {
    await using here = await tempRoot()
    await makeTree(here.join('secret'), 'secret')
    const source = await makeTree(here.join('source'))
    await makeTree(join(source, 'inner'))
    await symlink('../secret', join(source, 'other'))
    const swapping = spawn('python3', [oddTree, 'swap', source], { stdio: ['ignore', 'pipe', 'inherit'] })
    await once(swapping.stdout, 'data')
    let found = 0
    for (let round = 0; round < 40; round++) {
      const copy = here.join(`copy-${round}`)
      await copyTree(source, copy).catch(() => {})
      for (const name of ['inner', 'aside', 'other']) {
        const info = await lstat(join(copy, name)).catch(() => undefined)
        if (!info?.isDirectory()) continue
        found++
        expect(await readFile(join(copy, name, 'file'), 'utf8').catch(() => 'text')).toBe('text')
      }
    }
    swapping.kill()
    await once(swapping, 'exit')
    expect(found).toBeGreaterThan(0)
  })

  test('is made by an ordinary user of files of others, too, which become his and lose what their owner could', async () => {
    await using here = await tempRoot()
    const { home, program } = await nobodysPlace(here)
    const source = await makeTree(here.join('source'))
    await run('chmod', ['6755', join(source, 'file')])
    await asNobody('cp', '-a', source, join(home, 'by-cp'))

    await asNobody(program, 'copy', source, join(home, 'copy'))

    const [copied, byCp] = await factsOf(join(home, 'copy'), join(home, 'by-cp'))
    expect(copied).toEqual(byCp)
    const { uid, mode } = await stat(join(home, 'copy/file'))
    expect([uid, mode & 0o7777]).toEqual([65534, 0o755])
  })

  test('fails of what its user may not read, and says which file that is', async () => {
    await using here = await tempRoot()
    const { home, program } = await nobodysPlace(here)
    const source = await makeTree(here.join('source'))
    await mkdir(join(source, 'inner'))
    await writeFile(join(source, 'inner/new\nline'), 'secret', { mode: 0o600 })

    const { stderr } = await asNobody(program, 'copy', source, join(home, 'copy')).then(
      () => ({ stderr: 'it did not fail' }),
      (error: { stderr: string }) => error,
    )

    expect(JSON.parse(stderr)).toMatchObject({
      error: { message: `${source}/inner/new\nline: Permission denied` },
    })
  })

  test.each([
    ['a directory', (path: string) => mkdir(path)],
    ['a file', (path: string) => writeFile(path, 'mine')],
    ['a link to nothing', (path: string) => symlink('nowhere', path)],
  ])('is refused where there is %s already, which stays', async (_, make) => {
    await using here = await tempRoot()
    const source = await makeTree(here.join('source'))
    await make(here.join('copy'))
    const before = await lstat(here.join('copy'))

    const refusal = { code: 'EEXIST', message: `${here.join('copy')}: File exists` }
    await expect(copyTree(source, here.join('copy'))).rejects.toMatchObject(refusal)

    const { ino, mtimeMs } = await lstat(here.join('copy'))
    expect([ino, mtimeMs]).toEqual([before.ino, before.mtimeMs])
    expect((await readdir(here.path)).sort()).toEqual(['copy', 'source'])
  })

  test('is refused of what is no directory, and of what is not there', async () => {
    await using here = await tempRoot()
    await writeFile(here.join('file'), '')

    await expect(copyTree(here.join('none'), here.join('copy'))).rejects.toMatchObject({ code: 'ENOENT' })
    await expect(copyTree(here.join('file'), here.join('copy'))).rejects.toMatchObject({ code: 'ENOTDIR' })
  })

  test('is refused in the tree itself', async () => {
    await using here = await tempRoot()
    const source = await makeTree(here.join('source'))

    await expect(copyTree(source, join(source, 'copy'))).rejects.toThrow(
      `${source}/copy: the copy would be in itself`,
    )
  })

  test('fails where there is no room for it, and names the file', async () => {
    await using here = await tempRoot()
    const source = await makeTree(here.join('source'), 'x'.repeat(200_000))
    await mkdir(here.join('small'))
    await run('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', here.join('small')])

    await expect(copyTree(source, here.join('small/copy'))).rejects.toMatchObject({
      code: 'ENOSPC',
      message: `${source}/file: No space left on device`,
    })
  })

  test('that is cancelled ends in the middle of a file, and is nowhere but where it was to be', async () => {
    await using here = await tempRoot()
    const source = await makeTree(here.join('source'))
    await run('fallocate', ['-l', '1G', join(source, 'large')])
    await mkdir(here.join('place'))
    const stop = new AbortController()
    const seen = watch(here.join('place'), (_, name) => {
      if (name === 'copy') stop.abort(new Error('enough'))
    })

    await expect(copyTree(source, here.join('place/copy'), { signal: stop.signal })).rejects.toThrow('enough')

    seen.close()
    expect(await readdir(here.join('place'))).toEqual(['copy'])
    const { size } = await stat(here.join('place/copy/large')).catch(() => ({ size: 0 }))
    expect(size).toBeLessThan(1024 ** 3)
  })
})

describeWhen(canRunLxc(), 'the copy of a tree whose caller is killed', () => {
  test('ends, too', async () => {
    await using here = await tempRoot()
    const source = await makeTree(here.join('source'))
    await run('fallocate', ['-l', '1G', join(source, 'large')])
    const argv = [programPath(), 'copy', source, here.join('copy')]
    const script = `native.spawn(${JSON.stringify(argv[0])}, ${JSON.stringify(argv)}, [], ['null', 'null', 'null'])
      while (!require('node:fs').existsSync(${JSON.stringify(argv[3])}));
      process.kill(process.pid, 'SIGKILL')`

    await expect(runChild(script)).rejects.toMatchObject({ signal: 'SIGKILL' })

    while (await isRunning(argv)) await delay(2)
    const { size } = await stat(here.join('copy/large')).catch(() => ({ size: 0 }))
    expect(size).toBeLessThan(1024 ** 3)
  })
})

describeWhen(canRunLxc(), 'the removal of a tree', () => {
  test('follows no link, and does nothing where there is nothing', async () => {
    await using here = await tempRoot()
    await makeTree(here.join('kept'))
    const tree = await makeTree(here.join('tree'))
    await symlink('../kept', join(tree, 'link'))
    await symlink('kept', here.join('name'))

    for (const name of ['tree', 'name', 'none', 'none/none']) await removeTree(here.join(name))

    expect(await readdir(here.path)).toEqual(['kept'])
    expect(await readdir(here.join('kept'))).toEqual(['file'])
  })

  test('stops at what is mounted in it, also from the same file system', async () => {
    await using here = await tempRoot()
    await makeTree(here.join('kept'))
    const tree = await makeTree(here.join('tree'))
    await mkdir(join(tree, 'mounted'))
    await run('mount', ['--bind', here.join('kept'), join(tree, 'mounted')])

    await expect(removeTree(tree)).rejects.toMatchObject({ code: 'EBUSY' })

    expect(await readdir(here.join('kept'))).toEqual(['file'])
  })
})

describeWhen(canRunLxc(), 'the lock of an open file', () => {
  test('keeps others out until the file is closed', async () => {
    await using here = await tempRoot()
    const first = await open(here.join('file'), 'w')
    const second = await open(here.join('file'), 'r')

    expect([lockFile(first.fd), lockFile(second.fd)]).toEqual([true, false])
    await first.close()
    expect(lockFile(second.fd)).toBe(true)
    await second.close()

    expect(() => lockFile(99_999)).toThrow(expect.objectContaining({ code: 'EBADF' }))
  })
})

describeWhen(canRunLxc(), 'the file system of a path', () => {
  test('is synced, and a path that is not there is refused', async () => {
    await using here = await tempRoot()

    await syncFileSystem(here.path)

    await expect(syncFileSystem(here.join('none'))).rejects.toMatchObject({ code: 'ENOENT' })
  })
})
