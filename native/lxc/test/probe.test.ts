import { expect, test } from '@jest/globals'
import { canRunLxc, describeWhen } from '../../../test/fixtures/index.js'
import { probeLxc } from '../ts/index.js'
import { runChild } from './support/run-child.js'

describeWhen(canRunLxc(), 'the addon', () => {
  test('says which liblxc it found', () => {
    expect(probeLxc()).toMatchObject({
      available: true,
      version: expect.stringMatching(/^\d+\.\d+\.\d+/),
      library: expect.stringContaining('liblxc.so'),
      extensions: expect.arrayContaining(['pidfd', 'reboot2']),
    })
  })

  test('loads without liblxc and gives the reason', async () => {
    const out = await runChild(
      `console.log(JSON.stringify(native.probe([])))
       try { native.state('/', 'x') } catch (error) { console.log(error.code) }`,
      { COVIRT_LIBLXC: '/nonexistent/liblxc.so' },
    )

    const [probe = '', code] = out.trim().split('\n')
    expect(JSON.parse(probe)).toEqual({
      available: false,
      reason: expect.stringContaining('/nonexistent/liblxc.so'),
    })
    expect(code).toBe('ENOENT')
  })

  test('refuses a library that is not liblxc', async () => {
    const out = await runChild('console.log(native.probe([]).reason)', { COVIRT_LIBLXC: 'libc.so.6' })

    expect(out).toContain('not a usable liblxc')
  })

  test('works in worker threads, several at a time and one after the other', async () => {
    const out = await runChild(`
      const { Worker, isMainThread } = require('node:worker_threads')
      const work = "const native = require(process.env.ADDON);" +
        "native.state('/nonexistent', 'x').then((state) => require('node:worker_threads').parentPort.postMessage(state))"
      const once = () => new Promise((resolve, reject) => {
        const seen = []
        new Worker(work, { eval: true, env: { ADDON: require.resolve(Object.keys(require.cache)[0]) } })
          .on('message', (state) => seen.push(state)).on('error', reject).on('exit', () => resolve(seen))
      })
      Promise.all([once(), once()]).then(async (first) => console.log(JSON.stringify([...first, await once()])))
    `)

    expect(JSON.parse(out)).toEqual([['STOPPED'], ['STOPPED'], ['STOPPED']])
  })

  test('closes what a worker thread has kept open when that ends', async () => {
    const out = await runChild(`
      const { Worker } = require('node:worker_threads')
      const { readdirSync, readlinkSync } = require('node:fs')
      const copies = () => readdirSync('/proc/self/fd').filter((fd) => {
        try { return readlinkSync('/proc/self/fd/' + fd).startsWith('/memfd:covirt-lxc') } catch { return false }
      }).length
      const seen = []
      new Worker("require(process.env.ADDON).sealedCopy('/bin/true'); require('node:worker_threads').parentPort.once('message', () => {});" +
        "require('node:worker_threads').parentPort.postMessage(1)", { eval: true, env: { ADDON: Object.keys(require.cache)[0] } })
        .on('message', function () { seen.push(copies()); this.postMessage(1) })
        .on('exit', () => console.log(...seen, copies()))
    `)

    expect(out).toBe('1 0\n')
  })

  test('works when it is loaded twice into one thread', async () => {
    const out = await runChild(`
      const again = { exports: {} }
      process.dlopen(again, Object.keys(require.cache)[0])
      Promise.all([native, again.exports].map((each) => each.state('/nonexistent', 'x')))
        .then((states) => console.log(native !== again.exports, ...states))
    `)

    expect(out).toBe('true STOPPED STOPPED\n')
  })

  test('does not keep a process alive that closed its watch', async () => {
    const out = await runChild(`
      const watcher = new native.PidfdWatcher(native.pidfdOpen(process.pid), () => {})
      watcher.close(); watcher.close(); console.log('done')
    `)

    expect(out).toBe('done\n')
  })

  test('ends with a watch still open', async () => {
    const out = await runChild(`
      new native.PidfdWatcher(native.pidfdOpen(process.pid), () => {}).unref()
      native.state('/nonexistent', 'x')
      console.log('done'); process.exit(0)
    `)

    expect(out).toBe('done\n')
  })
})
