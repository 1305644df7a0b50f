import { join } from 'node:path'
import { isVirError, libraryVersion, messageOf } from '@covirt/core'
import { resolveRoot } from '@covirt/local'
import { PasswordFile } from './access/password-file.js'
import { readPassword } from './access/read-password.js'
import { type CommandLine, type PasswordCommand, parseCommandLine, usage } from './command-line.js'
import type { DaemonConfig } from './config/config-schema.js'
import { readConfig } from './config/read-config.js'
import type { Daemon } from './daemon.js'
import { type Instance, instanceUri } from './drivers/driver-house.js'
import { automaticForm, StreamLogger } from './log/stream-logger.js'

/** As sysexits(3) and systemd.exec(5) have them. */
const exitCodes = { failed: 1, usage: 2, configuration: 78 } as const

await main(process.argv.slice(2))

async function main(args: readonly string[]): Promise<void> {
  let line: CommandLine
  try {
    line = parseCommandLine(args)
  } catch (error) {
    return fail(`${messageOf(error)}\nTry 'covirtd --help'.`, exitCodes.usage)
  }
  if (line.help) process.stdout.write(usage)
  else if (line.version) process.stdout.write(`covirtd ${libraryVersion}\n`)
  else await run(line)
}

async function run(line: CommandLine): Promise<void> {
  const session = line.session || (line.root === undefined && process.getuid?.() !== 0)
  const instance: Instance = {
    path: session ? '/session' : '/system',
    ...(line.root !== undefined && { root: line.root }),
  }
  const { configDirectory } = resolveRoot(instanceUri('covirt', instance))
  const file = line.config ?? join(configDirectory, 'covirtd.toml')
  const read = () => readSettings(file, line)
  const logger = new StreamLogger((text) => process.stderr.write(text))
  let daemon: Daemon
  try {
    const config = await read()
    applyLog(logger, config)
    const passwords = new PasswordFile(config.sasl.passwords ?? join(configDirectory, 'passwords.json'))
    if (line.passwords) return await changePasswords(line.passwords, passwords)
    const { composeDaemon } = await import('./compose.js')
    daemon = await composeDaemon({ config, passwords, instance, logger, environment: process.env })
    if (line.checkConfig) {
      process.stdout.write(`${file}: no problems\n`)
      return
    }
  } catch (error) {
    return fail(describe(error), exitCodes.configuration)
  }
  try {
    await serve(daemon, logger, read)
  } catch (error) {
    fail(describe(error), exitCodes.failed)
  }
}

/** The configuration in `file`, overruled by the command line. */
async function readSettings(file: string, line: CommandLine): Promise<DaemonConfig> {
  const config = await readConfig(file, { optional: line.config === undefined })
  return {
    ...config,
    drivers: line.drivers ? [...line.drivers] : config.drivers,
    sockets: {
      ...config.sockets,
      ...(line.socket !== undefined && { path: line.socket }),
      libvirt: config.sockets.libvirt || line.libvirtSocket,
    },
    log: { level: line.logLevel ?? config.log.level, format: line.logFormat ?? config.log.format },
  }
}

/** Until a signal ends it. */
async function serve(daemon: Daemon, logger: StreamLogger, read: () => Promise<DaemonConfig>): Promise<void> {
  const ended = new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve())
  })
  let reloading = Promise.resolve()
  process.on('SIGHUP', () => {
    reloading = reloading.then(() => reload(daemon, logger, read))
  })
  await daemon.start()
  await ended
  await reloading
  await daemon.stop()
}

/** Where the file is wrong, all stays as it is. */
async function reload(
  daemon: Daemon,
  logger: StreamLogger,
  read: () => Promise<DaemonConfig>,
): Promise<void> {
  try {
    const config = await read()
    applyLog(logger, config)
    await daemon.reload(config)
  } catch (error) {
    logger.error('the configuration was not taken over', { reason: messageOf(error) })
  }
}

async function changePasswords(command: PasswordCommand, file: PasswordFile): Promise<void> {
  switch (command.verb) {
    case 'list':
      for (const user of await file.users()) process.stdout.write(`${user}\n`)
      return
    case 'set':
      return file.set(command.user, await readPassword(`Password of ${command.user}: `))
    case 'remove':
      if (!(await file.remove(command.user)))
        fail(`there is no user '${command.user}' with a password`, exitCodes.failed)
  }
}

function applyLog(logger: StreamLogger, { log: { level, format } }: DaemonConfig): void {
  logger.configure({ level, form: format === 'auto' ? automaticForm() : format })
}

function describe(error: unknown): string {
  const hint = isVirError(error) && error.hint !== undefined ? `\n${error.hint}.` : ''
  return `${messageOf(error)}${hint}`
}

function fail(message: string, exitCode: number): void {
  process.stderr.write(`covirtd: ${message}\n`)
  process.exitCode = exitCode
}
