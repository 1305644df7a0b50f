import { isAbsolute } from 'node:path'
import { pathToFileURL } from 'node:url'
import { messageOf, VirError } from '@covirt/core'
import type { ContainerModule } from 'inversify'

/** The drivers that come with covirt, by their short names. */
const builtin: Readonly<Record<string, () => Promise<unknown>>> = {
  lxc: () => import('@covirt/driver-lxc/module'),
  qemu: () => import('@covirt/driver-qemu/module'),
  test: () => import('@covirt/driver-test/module'),
}

/**
 * The module of the driver `name`: one of covirt's own by its short name, another one by the name of its npm package,
 * whose subpath `/module` is loaded, or by the absolute path of a file. It exports `driverModule`, an inversify
 * `ContainerModule` that binds a `DriverEntry` to `driverEntryId`. `CONF_SYNTAX` where there is no such.
 */
export async function loadDriverModule(name: string): Promise<ContainerModule> {
  let exported: unknown
  try {
    exported = await (Object.hasOwn(builtin, name) ? builtin[name]?.() : import(specifierOf(name)))
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const missing = code === 'ERR_MODULE_NOT_FOUND' || code === 'ERR_PACKAGE_PATH_NOT_EXPORTED'
    throw failure(name, messageOf(cause), missing ? howToInstall(name) : undefined, cause)
  }
  const { driverModule } = exported as { readonly driverModule?: unknown }
  if (isContainerModule(driverModule)) return driverModule
  throw failure(name, "it does not export 'driverModule', an inversify ContainerModule", undefined)
}

function specifierOf(name: string): string {
  if (isAbsolute(name)) return pathToFileURL(name).href
  if (/^(@[a-z0-9._~-]+\/)?[a-z0-9._~-]+$/.test(name) && !name.startsWith('.')) return `${name}/module`
  throw new Error('it is neither the name of a package nor an absolute path')
}

function howToInstall(name: string): string {
  if (isAbsolute(name)) return 'Give the absolute path of a file that is there'
  return `Drivers that come with covirt: ${Object.keys(builtin).join(', ')}. For another one: npm install ${name}, beside @covirt/daemon`
}

/** By its shape: a driver may have brought an inversify of its own. */
function isContainerModule(value: unknown): value is ContainerModule {
  return (
    typeof value === 'object' && value !== null && typeof (value as { load?: unknown }).load === 'function'
  )
}

function failure(name: string, why: string, hint: string | undefined, cause?: unknown): VirError {
  return new VirError('CONF_SYNTAX', `The driver '${name}' cannot be loaded: ${why}`, {
    domain: 'CONF',
    cause,
    ...(hint !== undefined && { hint }),
  })
}
