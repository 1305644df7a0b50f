import { mkdir } from 'node:fs/promises'
import { silentLogger, systemClock } from '@covirt/core'
import type { AdoptSpec, LaunchSpec } from '@covirt/local'
import { parseDomain } from '@covirt/xml'
import { expect, test } from '@jest/globals'
import {
  busyboxRootfs,
  canRunLxc,
  describeWhen,
  patience,
  tempRoot,
  uniqueName,
} from '../../../test/fixtures/index.js'
import { expectMachineUnchanged, machineState } from '../../../test/fixtures/machine-state.js'
import { runToken } from '../../../test/fixtures/run-token.js'
import { processIdentity } from '../src/host/processes.js'
import { LxcHypervisor } from '../src/index.js'
import { isFrozen } from '../src/native.js'
import { eventually } from './lxc-fixture.js'

const uuid = '3d1cf5b6-43c0-4f4c-a0f5-8a3f4f2b7c11'

/** One hypervisor with one definition, and what it needs on the host. */
class Bench implements AsyncDisposable {
  readonly hypervisor: LxcHypervisor
  readonly spec: LaunchSpec
  readonly #root: AsyncDisposable

  private constructor(hypervisor: LxcHypervisor, spec: LaunchSpec, root: AsyncDisposable) {
    this.hypervisor = hypervisor
    this.spec = spec
    this.#root = root
  }

  static async make(): Promise<Bench> {
    const root = await tempRoot()
    const rootfs = await busyboxRootfs(root.join('rootfs'))
    const name = uniqueName('hyp')
    const hypervisor = await LxcHypervisor.open({
      containersDirectory: root.join('containers'),
      idRanges: { own: root.join('id-ranges'), host: root.join('host-id-ranges') },
      version: '5.0',
    })
    await mkdir(root.join('run'))
    await mkdir(root.join('state'))
    const document = hypervisor.prepare(
      parseDomain(`<domain type='lxc'><name>${name}</name><uuid>${uuid}</uuid>
      <memory unit='MiB'>64</memory><os><type>exe</type><init>/sbin/ctinit</init></os>
      <devices><filesystem type='mount'><source dir='${rootfs}'/><target dir='/'/></filesystem></devices></domain>`),
    )
    const spec: LaunchSpec = {
      domain: { name, uuid, id: 1 },
      document,
      places: {
        runDirectory: root.join('run'),
        stateDirectory: root.join('state'),
        logFile: root.join('console.log'),
      },
      sink: {
        ended: () => {},
        exited: () => {},
        rebooted: () => {},
        phaseChanged: () => {},
        agentChanged: () => {},
        changed: () => {},
        devicesChanged: () => {},
      },
      clock: systemClock,
      logger: silentLogger,
      paused: false,
    }
    return new Bench(hypervisor, spec, root)
  }

  /** Launches the guest, lets go of it, and says what is to be adopted, or killed. */
  async orphan(): Promise<
    AdoptSpec & { readonly pids: { readonly init: number; readonly monitor: number } }
  > {
    const guest = await this.hypervisor.launch(this.spec, {})
    const { record } = guest
    await guest.release()
    return {
      ...this.spec,
      record,
      pids: { init: Number(record.initPid), monitor: Number(record.monitorPid) },
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.hypervisor.kill({ ...this.spec, record: undefined })
    await this.hypervisor.close()
    await this.#root[Symbol.asyncDispose]()
  }
}

function runs(pid: number): boolean {
  return processIdentity(pid)?.alive ?? false
}

/** Marks what containers of this file leave: other files are at work meanwhile. */
const token = () => ({ token: `cv-${runToken()}-hyp-` })

describeWhen(canRunLxc(), 'a container that was let go of', () => {
  test('is killed by its definition alone, and leaves nothing', async () => {
    await using bench = await Bench.make()
    const before = machineState()
    const { pids } = await bench.orphan()
    await bench.hypervisor.kill({ ...bench.spec, record: undefined })
    expect([runs(pids.init), runs(pids.monitor)]).toEqual([false, false])
    await expectMachineUnchanged(before, token())
  })

  test(
    'whose monitor stands still is left alone by adoption, and ended by a kill',
    async () => {
      await using bench = await Bench.make()
      const before = machineState()
      const orphan = await bench.orphan()
      process.kill(orphan.pids.monitor, 'SIGSTOP')
      await expect(bench.hypervisor.adopt(orphan, {})).rejects.toMatchObject({ code: 'OPERATION_TIMEOUT' })
      expect([runs(orphan.pids.init), runs(orphan.pids.monitor)]).toEqual([true, true])
      await bench.hypervisor.kill(orphan)
      expect([runs(orphan.pids.init), runs(orphan.pids.monitor)]).toEqual([false, false])
      await expectMachineUnchanged(before, token())
    },
    patience(40_000),
  )

  test(
    'is killed also where it is frozen and its monitor stands still',
    async () => {
      await using bench = await Bench.make()
      const guest = await bench.hypervisor.launch(bench.spec, {})
      await guest.pause({})
      const { record } = guest
      await guest.release()
      const [init, monitor] = [Number(record.initPid), Number(record.monitorPid)]
      expect(await isFrozen(init)).toBe(true)
      process.kill(monitor, 'SIGSTOP')
      await bench.hypervisor.kill({ ...bench.spec, record })
      expect([runs(init), runs(monitor)]).toEqual([false, false])
    },
    patience(40_000),
  )

  test('and has ended since needs no kill, and gets none', async () => {
    await using bench = await Bench.make()
    const orphan = await bench.orphan()
    process.kill(orphan.pids.init, 'SIGKILL')
    await eventually(() => (runs(orphan.pids.monitor) ? undefined : true))
    await expect(bench.hypervisor.kill(orphan)).resolves.toBeUndefined()
  })
})
