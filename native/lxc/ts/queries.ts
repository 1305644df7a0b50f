import { binding } from './binding.js'
import { type Container, type LxcState, lxcStates, type Options } from './container.js'
import { LxcError, toLxcError } from './lxc-error.js'
import { monitorCall } from './monitor-call.js'

/** The state as the container's monitor tells it; `STOPPED` where there is none. */
export async function state(container: Container, options?: Options): Promise<LxcState> {
  const text = await monitorCall(
    'state',
    container,
    (native, path, name) => native.state(path, name),
    options,
  )
  const known = lxcStates.find((each) => each === text)
  if (known) return known
  throw new LxcError(`state of container ${container.name} failed: liblxc calls it ${text}`, {
    operation: 'state',
    container: container.name,
  })
}

/** The process id of the container's init in our namespace; `undefined` while it does not run. */
export function initPid(container: Container, options?: Options): Promise<number | undefined> {
  return monitorCall('initPid', container, (native, path, name) => native.initPid(path, name), options)
}

/** A value of the configuration file (lxc.container.conf(5)); `undefined` for a key that liblxc does not know. */
export function configItem(
  container: Container,
  key: string,
  options?: Options,
): Promise<string | undefined> {
  return monitorCall(
    'configItem',
    container,
    (native, path, name) => native.configItem(path, name, key),
    options,
  )
}

/**
 * A value of the configuration that a container runs with, with what liblxc has chosen itself, such as
 * `lxc.net.0.veth.pair`; `undefined` where it does not run, and for a key without a value.
 */
export async function runningConfigItem(
  container: Container,
  key: string,
  options?: Options,
): Promise<string | undefined> {
  const value = await monitorCall(
    'runningConfigItem',
    container,
    (native, path, name) => native.runningConfigItem(path, name, key),
    options,
  )
  return value === '' ? undefined : value
}

/** A file of the running container's cgroup, such as `memory.usage_in_bytes`; `ENOENT` where there is none. */
export function cgroupItem(container: Container, key: string, options?: Options): Promise<string> {
  return monitorCall(
    'cgroupItem',
    container,
    (native, path, name) => native.cgroupItem(path, name, key),
    options,
  )
}

/** Writes a file of the running container's cgroup. */
export function setCgroupItem(
  container: Container,
  key: string,
  value: string,
  options?: Options,
): Promise<void> {
  return monitorCall(
    'setCgroupItem',
    container,
    (native, path, name) => native.setCgroupItem(path, name, key, value),
    options,
  )
}

/** The names of all containers of this lxcpath that have a monitor. Asks no monitor. */
export async function listActive(path: string): Promise<string[]> {
  try {
    return await binding().listActive(path)
  } catch (error) {
    throw toLxcError(error, 'listActive')
  }
}
