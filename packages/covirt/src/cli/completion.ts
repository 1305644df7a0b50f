import type { Command } from 'commander'

/** A shell that completion scripts are written for. */
type Shell = 'bash' | 'zsh' | 'fish'

interface Verb {
  readonly name: string
  readonly description: string
  readonly options: readonly { readonly flag: string; readonly description: string }[]
  /** What its first argument is. */
  readonly argument: 'domain' | 'file' | 'shell' | undefined
}

/** A script that makes `shell` complete verbs, options and the names of domains. */
export function completionScript(shell: Shell, program: Command): string {
  const verbs = program.commands.map(toVerb)
  const globals = optionsOf(program)
  const everywhere = globals.map(({ flag }) => flag).join(' ')
  if (shell === 'fish') return fish(verbs, globals)
  const script = bash(verbs, everywhere)
  return shell === 'zsh' ? `autoload -U +X bashcompinit && bashcompinit\n${script}` : script
}

function toVerb(command: Command): Verb {
  const name = command.registeredArguments[0]?.name()
  return {
    name: command.name(),
    description: command.description(),
    options: optionsOf(command),
    argument: name === 'domain' || name === 'file' || name === 'shell' ? name : undefined,
  }
}

function optionsOf(command: Command): Verb['options'] {
  return command.options.flatMap(({ long, description }) => (long ? [{ flag: long, description }] : []))
}

const listDomains = 'covirt --lock-timeout 1 "$@" list --all --name 2>/dev/null'

function bash(verbs: readonly Verb[], everywhere: string): string {
  const names = verbs.map(({ name }) => name).join(' ')
  const options = verbs.map(
    ({ name, options }) =>
      `    ${name}) options="${[...options.map(({ flag }) => flag), everywhere].join(' ')}" ;;`,
  )
  const withArgument = (argument: Verb['argument']) =>
    verbs.flatMap((verb) => (verb.argument === argument ? [verb.name] : [])).join('|')
  return `_covirt_domains() { ${listDomains}; }
_covirt() {
  local word="\${COMP_WORDS[COMP_CWORD]}" verb="" options="" i
  local connection=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "\${COMP_WORDS[i]}" in
    -c | --connect) connection=(-c "\${COMP_WORDS[i + 1]}"); i=$((i + 1)) ;;
    --lock-timeout) i=$((i + 1)) ;;
    -*) ;;
    *) verb="\${COMP_WORDS[i]}"; break ;;
    esac
  done
  if [[ -z $verb ]]; then
    COMPREPLY=($(compgen -W "${names} ${everywhere}" -- "$word"))
    return
  fi
  if [[ $word == -* ]]; then
    case $verb in
${options.join('\n')}
    esac
    COMPREPLY=($(compgen -W "$options" -- "$word"))
    return
  fi
  local IFS=$'\\n'
  case $verb in
  ${withArgument('domain')}) COMPREPLY=($(compgen -W "$(_covirt_domains "\${connection[@]}")" -- "$word")) ;;
  ${withArgument('file')}) COMPREPLY=($(compgen -f -- "$word")) ;;
  ${withArgument('shell')}) COMPREPLY=($(compgen -W $'bash\\nzsh\\nfish' -- "$word")) ;;
  esac
}
complete -o filenames -F _covirt covirt
`
}

function fish(verbs: readonly Verb[], globals: Verb['options']): string {
  const names = verbs.map(({ name }) => name).join(' ')
  const lines = [
    'complete -c covirt -f',
    ...globals.map(
      ({ flag, description }) => `complete -c covirt -l ${flag.slice(2)} -d ${quote(description)}`,
    ),
    ...verbs.flatMap((verb) => [
      `complete -c covirt -n ${quote(`not __fish_seen_subcommand_from ${names}`)} -a ${verb.name} -d ${quote(verb.description)}`,
      ...verb.options.map(
        ({ flag, description }) =>
          `complete -c covirt -n ${seen(verb)} -l ${flag.slice(2)} -d ${quote(description)}`,
      ),
      ...argumentOf(verb),
    ]),
  ]
  return `${lines.join('\n')}\n`
}

function argumentOf(verb: Verb): string[] {
  if (verb.argument === 'domain') {
    return [
      `complete -c covirt -n ${seen(verb)} -a '(covirt --lock-timeout 1 list --all --name 2>/dev/null)'`,
    ]
  }
  if (verb.argument === 'file') return [`complete -c covirt -n ${seen(verb)} -F`]
  if (verb.argument === 'shell') return [`complete -c covirt -n ${seen(verb)} -a 'bash zsh fish'`]
  return []
}

function seen(verb: Verb): string {
  return quote(`__fish_seen_subcommand_from ${verb.name}`)
}

function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
