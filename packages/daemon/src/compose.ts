import { join } from 'node:path'
import { type Clock, type DriverEntry, driverEntryId, systemClock } from '@covirt/core'
import { lifecycleServiceName } from '@covirt/lifecycle'
import { resolveRoot } from '@covirt/local'
import { Server, type ServerLimits } from '@covirt/server'
import { Container, type ServiceIdentifier } from 'inversify'
import type { PasswordFile } from './access/password-file.js'
import type { DaemonConfig, LimitsConfig } from './config/config-schema.js'
import { CurrentPolicy, Daemon } from './daemon.js'
import type { DaemonHook } from './daemon-hook.js'
import { DriverHouse, type Instance, instanceUri } from './drivers/driver-house.js'
import { loadDriverModule } from './drivers/driver-modules.js'
import { LifecycleHook } from './lifecycle/lifecycle-hook.js'
import { boundPath, type InheritedSocket, inheritedSockets, isForReading } from './listen/activation.js'
import { libvirtDirectory } from './listen/libvirt-sockets.js'
import type { StreamLogger } from './log/stream-logger.js'
import { findSystemCalls, type SystemCalls } from './native.js'
import { ServiceManager } from './service-manager.js'

/** What whoever starts a daemon decides. */
export interface DaemonSettings {
  readonly config: DaemonConfig
  readonly passwords: PasswordFile
  readonly instance: Instance
  readonly logger: StreamLogger
  /** Removes from it what is meant for this process alone. */
  readonly environment: NodeJS.ProcessEnv
}

/** What modules may bind besides drivers: any number of {@link DaemonHook}s. */
export const daemonHookId: ServiceIdentifier<DaemonHook> = Symbol.for('covirt:DaemonHook')

const ids = {
  clock: Symbol('Clock') as ServiceIdentifier<Clock>,
  systemCalls: Symbol('SystemCalls') as ServiceIdentifier<{ readonly found: SystemCalls | undefined }>,
  policy: Symbol('CurrentPolicy') as ServiceIdentifier<CurrentPolicy>,
  house: Symbol('DriverHouse') as ServiceIdentifier<DriverHouse>,
  serviceManager: Symbol('ServiceManager') as ServiceIdentifier<ServiceManager>,
  lifecycle: Symbol('LifecycleHook') as ServiceIdentifier<LifecycleHook>,
  server: Symbol('Server') as ServiceIdentifier<Server>,
  daemon: Symbol('Daemon') as ServiceIdentifier<Daemon>,
}

/** The composition root. `CONF_SYNTAX` where a driver cannot be loaded. */
export async function composeDaemon(settings: DaemonSettings): Promise<Daemon> {
  const container = new Container({ defaultScope: 'Singleton' })
  await container.loadAsync(...(await Promise.all(settings.config.drivers.map(loadDriverModule))))
  bindParts(container, settings)
  return container.get(ids.daemon)
}

function bindParts(
  container: Container,
  { config, passwords, instance, logger, environment }: DaemonSettings,
): void {
  container.bind(ids.clock).toConstantValue(systemClock)
  container.bind(ids.policy).toDynamicValue(() => new CurrentPolicy())
  container.bind(ids.systemCalls).toDynamicValue(() => {
    const calls = findSystemCalls()
    if (!('reason' in calls)) return { found: calls }
    const { reason } = calls
    logger.warn('the modes of sockets alone decide who may do what: peers cannot be told', { reason })
    return { found: undefined }
  })
  container.bind(ids.serviceManager).toDynamicValue((context) => {
    const systemCalls = context.get(ids.systemCalls).found
    return new ServiceManager(environment, { systemCalls, logger })
  })
  container.bind(ids.house).toDynamicValue((context) => {
    const entries = context.getAll<DriverEntry>(driverEntryId)
    const { showAllAs } = config
    return new DriverHouse(instance, entries, { logger, clock: context.get(ids.clock), showAllAs })
  })
  container.bind(ids.lifecycle).toDynamicValue(() => new LifecycleHook())
  container.bind(ids.server).toDynamicValue((context) => {
    const house = context.get(ids.house)
    return new Server({
      open: (uri, _identity, options) => house.connect(uri, options),
      policy: context.get(ids.policy).decide,
      verifierOf: (user) => passwords.verifierOf(user),
      services: { [lifecycleServiceName]: context.get(ids.lifecycle).service },
      logger,
      clock: context.get(ids.clock),
      limits: serverLimits(config.limits),
    })
  })
  container.bind(ids.daemon).toDynamicValue((context) => {
    const clock = context.get(ids.clock)
    const inherited = inheritedSockets(environment, process.pid)
    return new Daemon({
      config,
      instance,
      logger,
      clock,
      policy: context.get(ids.policy),
      passwords,
      house: context.get(ids.house),
      server: context.get(ids.server),
      serviceManager: context.get(ids.serviceManager),
      hooks: [context.get(ids.lifecycle), ...context.getAll(daemonHookId, { optional: true })],
      listening: {
        socket: inheritedPath(inherited) ?? config.sockets.path ?? defaultSocket(instance),
        libvirtDirectory: config.sockets.libvirt
          ? (config.sockets.libvirtDirectory ?? libvirtDirectory(instance.path === '/session'))
          : undefined,
        inherited,
        systemCalls: context.get(ids.systemCalls).found,
        logger,
        clock,
      },
    })
  })
}

/** Where clients find a daemon that was given its sockets. */
function inheritedPath(inherited: readonly InheritedSocket[]): string | undefined {
  const main = inherited.find((each) => !isForReading(each))
  return main && boundPath(main.descriptor)
}

/** The socket of an instance, where `open('covirt:///…')` finds it too. */
function defaultSocket(instance: Instance): string {
  return join(resolveRoot(instanceUri('covirt', instance)).runDirectory, 'covirt-sock')
}

function serverLimits({ keepaliveInterval, ...limits }: LimitsConfig): Partial<ServerLimits> {
  return { ...limits, keepaliveMs: keepaliveInterval * 1000 }
}
