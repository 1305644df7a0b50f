import { createWriteStream } from 'node:fs'
import { pipeline } from 'node:stream/promises'
import { type Domain, type KeyCodeSet, keyCodeSets, VirError } from '@covirt/core'
import type { DomainXml } from '@covirt/xml'
import { type Command, Option } from 'commander'
import type { Cli } from '../cli/cli.js'
import { parseKey } from '../cli/key-names.js'
import { parseId } from '../cli/option-values.js'
import { domainArgument, type Select } from './select.js'

interface KeyFlags {
  readonly codeset: KeyCodeSet
  /** In milliseconds. */
  readonly holdtime?: number
}

const parseKeys = (text: string, all: readonly number[]) => [...all, parseKey(text)]

interface TimeFlags {
  readonly pretty?: boolean
  readonly now?: boolean
  readonly sync?: boolean
  /** In seconds since 1970. */
  readonly time?: number
}

const endings: Readonly<Record<string, string>> = { 'image/png': 'png', 'image/x-portable-pixmap': 'ppm' }
const firstVncPort = 5900

/** `screenshot`, `domdisplay`, `vncdisplay`, `send-key`, `inject-nmi`, `domtime`. */
export function addScreenCommands(program: Command, select: Select): void {
  const command = (name: string, description: string) =>
    program.command(name).argument('<domain>', domainArgument).description(description)
  command('screenshot', "take a picture of a guest's screen")
    .argument('[file]', 'where to (default: DOMAIN-screen0.png, here); it must not exist')
    .option('--screen <number>', 'of this screen, from 0', parseId)
    .action((name: string, file: string | undefined, { screen }: { screen?: number }) =>
      select((cli) => takeScreenshot(cli, name, file, screen)),
    )
  command('domdisplay', "the URI of a guest's display").action((name: string) =>
    select((cli) => showDisplay(cli, name, ({ uri }) => uri)),
  )
  command('vncdisplay', "the address of a guest's VNC display").action((name: string) =>
    select((cli) => showDisplay(cli, name, ({ display }) => display)),
  )
  command('send-key', 'press keys together on the keyboard of a guest')
    .argument('<keys...>', 'names such as KEY_LEFTCTRL, or numbers', parseKeys, [])
    .addOption(new Option('--codeset <set>', 'how numbers count keys').choices(keyCodeSets).default('linux'))
    .option('--holdtime <milliseconds>', 'how long they are held down', parseId)
    .addHelpText('after', '\nExamples:\n  covirt send-key web KEY_LEFTCTRL KEY_LEFTALT KEY_DELETE\n')
    .action((name: string, keys: readonly number[], flags: KeyFlags) =>
      select((cli) => sendKey(cli, name, keys, flags)),
    )
  command('inject-nmi', 'interrupt a guest that listens to nothing else').action((name: string) =>
    select(async (cli) => {
      const domain = await cli.domain(name)
      await domain.injectNmi(cli)
      cli.result({ json: domain.ref, text: '' })
    }),
  )
  command('domtime', "tell or set the time of a guest's system, through its agent")
    .option('--pretty', 'as a date, not in seconds since 1970')
    .option('--now', 'set it to that of this host')
    .option('--sync', "set it to that of the guest's hardware")
    .option('--time <seconds>', 'set it to this many seconds since 1970', parseId)
    .action((name: string, flags: TimeFlags) => select((cli) => guestTime(cli, name, flags)))
}

async function takeScreenshot(cli: Cli, name: string, file: string | undefined, screen = 0): Promise<void> {
  const domain = await cli.domain(name)
  const { mimeType, stream } = await domain.screenshot({ screen, signal: cli.signal })
  const path = file ?? `${domain.name}-screen${screen}.${endings[mimeType] ?? 'img'}`
  await pipeline(stream, createWriteStream(path, { flags: 'wx' }), { signal: cli.signal })
  cli.result({
    json: { ...domain.ref, path, mimeType },
    text: `Screenshot saved to ${path}, with type of ${mimeType}\n`,
  })
}

interface Display {
  readonly uri: string
  readonly display: string
}

async function showDisplay(cli: Cli, name: string, tell: (display: Display) => string): Promise<void> {
  const domain = await cli.domain(name)
  const display = await displayOf(cli, domain)
  cli.result({ json: { ...domain.ref, ...display }, text: `${tell(display)}\n` })
}

async function displayOf(cli: Cli, domain: Domain): Promise<Display> {
  const { parseDomain } = await import('@covirt/xml')
  const { devices } = parseDomain(await domain.xml(cli))
  for (const graphics of devices.graphics) {
    const display = graphics.type === 'vnc' ? vncDisplay(graphics) : undefined
    if (display) return display
  }
  throw new VirError('OPERATION_FAILED', `Domain '${domain.name}' has no display that can be connected to`, {
    domain: 'DOM',
    hint: "A running guest has one with <graphics type='vnc'>",
  })
}

function vncDisplay(
  vnc: Extract<DomainXml['devices']['graphics'][number], { type: 'vnc' }>,
): Display | undefined {
  const [listen] = vnc.listens
  const socket = vnc.socket ?? (listen?.type === 'socket' ? listen.socket : undefined)
  if (socket !== undefined) return { uri: `vnc+unix://${socket}`, display: socket }
  if (vnc.port === undefined || vnc.port < firstVncPort) return undefined
  const address = (listen?.type === 'address' ? listen.address : undefined) ?? vnc.listen ?? '127.0.0.1'
  const host = address.includes(':') ? `[${address}]` : address
  const display = `${host}:${vnc.port - firstVncPort}`
  return { uri: `vnc://${display}`, display }
}

async function sendKey(
  cli: Cli,
  name: string,
  keys: readonly number[],
  { codeset, holdtime }: KeyFlags,
): Promise<void> {
  const domain = await cli.domain(name)
  await domain.sendKey(keys, { codeSet: codeset, holdTimeMs: holdtime, signal: cli.signal })
  cli.result({ json: domain.ref, text: '' })
}

async function guestTime(cli: Cli, name: string, { pretty, now, sync, time }: TimeFlags): Promise<void> {
  const domain = await cli.domain(name)
  if (now || sync || time !== undefined) {
    const seconds = now ? Math.round(Date.now() / 1000) : time
    await domain.setTime(sync ? undefined : BigInt(seconds ?? 0) * 1_000_000_000n, cli)
    return cli.result({ json: domain.ref, text: '' })
  }
  const timeNs = await domain.getTime(cli)
  const seconds = Number(timeNs / 1_000_000_000n)
  const text = pretty ? new Date(seconds * 1000).toISOString() : String(seconds)
  cli.result({ json: { ...domain.ref, timeNs }, text: `Time: ${text}\n` })
}
