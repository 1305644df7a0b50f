import type { Command } from 'commander'
import type { Select } from './select.js'

const shells = ['bash', 'zsh', 'fish'] as const

/** What serves the shell that covirt is called from. */
export function addShellCommands(program: Command, select: Select): void {
  program
    .command('completion')
    .argument('<shell>', shells.join(', '))
    .description('print a script that completes covirt command lines')
    .addHelpText(
      'after',
      '\nExamples:\n  source <(covirt completion bash)\n  covirt completion fish > ~/.config/fish/completions/covirt.fish\n',
    )
    .action((shell: string, _flags: object, command: Command) => {
      if (!shells.some((known) => known === shell)) {
        command.error(`error: there is no completion for '${shell}', only for ${shells.join(', ')}`)
      }
      select(async (cli) => {
        const { completionScript } = await import('../cli/completion.js')
        const script = completionScript(shell as (typeof shells)[number], program)
        cli.result({ json: { script }, text: script })
      })
    })
}
