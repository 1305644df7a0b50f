// A program that is killed: when it is sent a line it opens the URI it is given and says what it sees; at the next line it
// defines, starts, stops and undefines domains at random for ever. Each line of its output is a JSON object; what it is
// about to do is said before.
import { once } from 'node:events'
import { writeSync } from 'node:fs'
import { type Connection, messageOf, open } from 'covirt'

/** What the program says. */
export type ChurnLine =
  | {
      readonly say: 'sees'
      readonly domains: readonly { name: string; persistent: boolean; active: boolean }[]
    }
  | { readonly say: 'begins' | 'did'; readonly verb: ChurnVerb; readonly name: string }
  | { readonly say: 'refused'; readonly verb: ChurnVerb; readonly name: string; readonly message: string }

type ChurnVerb = 'define' | 'start' | 'destroy' | 'shutdown' | 'undefine'

/** Written at once, whole: what was said before the kill is never lost. */
function say(line: ChurnLine): void {
  writeSync(1, `${JSON.stringify(line)}\n`)
}

const [uri, guests] = process.argv.slice(2)
if (uri === undefined || guests === undefined) throw new TypeError('usage: churn URI GUESTS-AS-JSON')
const xmlOf = JSON.parse(guests) as Record<string, string>

function verbsOf({ domains }: Connection): Readonly<Record<ChurnVerb, (name: string) => Promise<unknown>>> {
  const domain = (name: string) => domains.lookupByName(name)
  return {
    define: (name) => domains.define(xmlOf[name] as string),
    start: async (name) => (await domain(name)).start(),
    destroy: async (name) => (await domain(name)).destroy(),
    shutdown: async (name) => (await domain(name)).shutdown(),
    undefine: async (name) => (await domain(name)).undefine(),
  }
}

function oneOf<T>(items: readonly T[]): T {
  return items[Math.floor(Math.random() * items.length)] as T
}

/** One guest of all verbs, at random, for ever; what makes no sense at the moment is refused, and said so. */
async function churn(name: string, verbs: ReturnType<typeof verbsOf>): Promise<never> {
  for (;;) {
    const verb = oneOf<ChurnVerb>([
      'define',
      'define',
      'start',
      'start',
      'start',
      'destroy',
      'shutdown',
      'undefine',
    ])
    say({ say: 'begins', verb, name })
    try {
      await verbs[verb](name)
      say({ say: 'did', verb, name })
    } catch (error) {
      say({ say: 'refused', verb, name, message: messageOf(error) })
    }
  }
}

async function main(uri: string): Promise<void> {
  // What comes before can be done while another program still has the root.
  await once(process.stdin, 'data')
  const connection = await open(uri)
  const seen = await connection.domains.stats()
  say({
    say: 'sees',
    domains: seen.map(({ domain, persistent, state }) => ({
      name: domain.name,
      persistent,
      active: state.state !== 'shutoff',
    })),
  })
  const verbs = verbsOf(connection)
  // Whoever watches compares what was said with the truth before anything moves again.
  await once(process.stdin, 'data')
  await Promise.all(Object.keys(xmlOf).map((name) => churn(name, verbs)))
}

// What it fails with ends the program, and is on its standard error.
void main(uri)
