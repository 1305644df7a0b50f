import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import type { Cli } from '../cli/cli.js'
import { installUnits, removeUnits, unitDirectory, unitFiles } from '../units/unit-files.js'
import type { Select } from './select.js'

interface UnitFlags {
  readonly directory: string
  readonly withoutDaemon?: boolean
  readonly remove?: boolean
}

/** What makes covirt part of the host's system. */
export function addUnitCommands(program: Command, select: Select): void {
  program
    .command('install-units')
    .option('--directory <path>', 'where to', unitDirectory)
    .option('--without-daemon', 'bring guests up and down without covirtd')
    .option('--remove', 'remove them again')
    .description('make the systemd units of covirtd and of the guests')
    .addHelpText('after', '\nThen: systemctl enable --now covirtd.socket covirtd covirt-guests\n')
    .action((flags: UnitFlags) => select((cli) => changeUnits(cli, flags)))
}

async function changeUnits(cli: Cli, { directory, withoutDaemon, remove }: UnitFlags): Promise<void> {
  const names = remove
    ? await removeUnits(directory)
    : await installUnits(directory, await unitFiles({ withoutDaemon }))
  if (directory === unitDirectory && existsSync('/run/systemd/system')) await reload(cli)
  const done = remove ? 'Removed' : 'Made'
  cli.result({
    json: { directory, units: names },
    text: `${done} ${names.join(', ') || 'nothing'} in ${directory}\n`,
  })
}

async function reload(cli: Cli): Promise<void> {
  await new Promise<void>((resolve) => {
    execFile('systemctl', ['daemon-reload'], { signal: cli.signal }, (error) => {
      if (error) cli.warn(`systemd was not told: ${error.message.trim()}`)
      resolve()
    })
  })
}
