import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Domain, ExecOptions } from '@covirt/core'
import { afterAll, beforeAll, expect, test } from '@jest/globals'
import { canRunLxc, describeWhen } from '../../../test/fixtures/index.js'
import { attach } from '../src/native.js'
import { LxcWorld, privileged, removeRootfs } from './lxc-fixture.js'

const application = privileged.replace('<c:privileged/>', '<c:preset>application</c:preset>')
/** All that a process is held by, and given, but for its number and what it has used. */
const script = `
grep -E '^(Umask|[UG]id|Groups|Sig(Blk|Ign|Cgt)|Cap[A-Z][a-z]+|NoNewPrivs|Seccomp|Seccomp_filters|(Cpu|Mem)s_allowed|Speculation.*):' /proc/self/status
env | sort
for kind in cgroup ipc mnt net pid user uts time; do readlink /proc/self/ns/$kind; done
cat /proc/self/cgroup /proc/self/limits /proc/self/oom_score_adj /proc/self/personality
ls /proc/self/fd
umask; pwd; id`

describeWhen(canRunLxc(), 'a program in a container', () => {
  let world: LxcWorld
  let connection: Awaited<ReturnType<LxcWorld['open']>>

  beforeAll(async () => {
    world = await LxcWorld.make()
    connection = await world.open()
  })

  afterAll(async () => {
    await connection.close()
    await world[Symbol.asyncDispose]()
    await removeRootfs()
  })

  async function started(elements: string): Promise<Domain> {
    const name = world.uniqueName('confined')
    const xml = world.domainXml({ name }).replace('<os>', `${elements}<os>`)
    return connection.domains.create(xml)
  }

  test.each([
    ['a container', ''],
    ['a privileged container', privileged],
    ['a container for one program', application],
  ])('is held by all that liblxc holds one by in %s', async (_, elements) => {
    const domain = await started(elements)
    const container = { path: join(world.path, 'lib/lxc/containers'), name: domain.name }
    try {
      for (const user of [{}, { uid: 1000, gid: 100 }, { uid: 1000 }]) {
        const options: ExecOptions = { env: { GREETING: 'good morning', TERM: 'dumb' }, cwd: '/tmp', ...user }
        const ours = await domain.exec(['/bin/sh', '-c', script], { ...options, stdin: '' })
        const found = await text(ours.stdout)
        const theirs = await attach(container, ['/bin/sh', '-c', script], options)
        theirs.stdin.end()

        expect(found).toBe(await text(theirs.stdout))
        expect(found).toMatch(/^Seccomp:\t2$/m)
      }
    } finally {
      await domain.destroy()
    }
  })
})
