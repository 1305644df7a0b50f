import { type ConsoleOptions, type Domain, type TerminalSize, throwIfAborted } from '@covirt/core'
import type { Cli } from './cli.js'
import { followSize, ownTerminal, rawTerminal } from './raw-terminal.js'

/** ^], as virsh and telnet have it. */
const escapeByte = 0x1d

/**
 * Connects standard input and output to the console of `domain` until ^] is typed, the guest goes off, or the user
 * gives up. A terminal is switched to raw mode meanwhile, so that ^C goes to the guest. At the end of input
 * that is no terminal it goes on showing what the guest says.
 */
export async function attachConsole(
  cli: Cli,
  domain: Domain,
  options: Pick<ConsoleOptions, 'device' | 'force' | 'shared' | 'historyBytes'>,
): Promise<void> {
  const stream = await domain.openConsole({ ...options, signal: cli.signal })
  const { stdin, stderr } = cli
  const raw = stdin.isTTY === true
  const newLine = raw ? '\r\n' : '\n'
  const greeting = [`Connected to domain '${domain.name}'`, 'Escape character is ^] (Ctrl + ])', '']
  using _raw = rawTerminal(stdin)
  const resize = (size: TerminalSize) => stream.resize?.(size.columns, size.rows)
  const size = ownTerminal(cli)
  if (size) resize(size)
  using _size = followSize(cli.stdout, (columns, rows) => resize({ columns, rows }))
  try {
    await new Promise<void>((resolve, reject) => {
      const end = () => resolve()
      const onInput = (bytes: Buffer) => {
        const at = bytes.indexOf(escapeByte)
        if (at < 0) stream.write(bytes)
        else stream.end(bytes.subarray(0, at), end)
      }
      stream.on('data', (bytes: Buffer) => cli.output.write(bytes))
      stream.on('error', reject)
      stream.on('end', end)
      stream.on('close', end)
      cli.signal.addEventListener('abort', end, { once: true })
      cli.output.closed.addEventListener('abort', end, { once: true })
      stdin.on('data', onInput)
      if (!cli.output.json) stderr.write(greeting.join(newLine))
    })
  } finally {
    stdin.pause()
    stdin.removeAllListeners('data')
    await closed(stream)
    if (raw) stderr.write('\r\n')
  }
  throwIfAborted(cli.signal)
}

async function closed(
  stream: NodeJS.EventEmitter & { readonly closed: boolean; destroy(): unknown },
): Promise<void> {
  if (stream.closed) return
  await new Promise((resolve) => {
    stream.once('close', resolve)
    stream.destroy()
  })
}
