import type { ChurnLine } from './churn.js'

/** What must be so, must not be so, or may be either because the program died while changing it. */
type Belief = boolean | 'either'

interface Account {
  defined: Belief
  active: Belief
}

/** What a program's own words allow to be true after it has died. */
export class Ledger {
  readonly #accounts = new Map<string, Account>()

  constructor(names: readonly string[]) {
    for (const name of names) this.#accounts.set(name, { defined: false, active: false })
  }

  /** Takes note of a line that the program has said. */
  note(line: ChurnLine): void {
    if (line.say === 'sees') {
      this.#base(line.domains)
      return
    }
    const account = this.#account(line.name)
    if (line.say === 'begins') {
      if (line.verb === 'define' || line.verb === 'undefine')
        account.defined = uncertain(account.defined, line.verb === 'define')
      else account.active = uncertain(account.active, line.verb === 'start')
    } else if (line.say === 'did') {
      if (line.verb === 'define') account.defined = true
      if (line.verb === 'undefine') account.defined = false
      if (line.verb === 'start') account.active = true
      if (line.verb === 'destroy') account.active = false
    }
  }

  /** What the next program sees that the last one's words do not allow. */
  contradictions(seen: Extract<ChurnLine, { say: 'sees' }>): readonly string[] {
    return [...this.#accounts].flatMap(([name, { defined, active }]) => {
      const domain = seen.domains.find((each) => each.name === name)
      const found: string[] = []
      if (defined !== 'either' && (domain?.persistent ?? false) !== defined) {
        found.push(`${name} is ${defined ? 'not ' : ''}defined`)
      }
      if (active !== 'either' && (domain?.active ?? false) !== active) {
        found.push(`${name} is ${active ? 'not ' : ''}active`)
      }
      return found
    })
  }

  #base(domains: Extract<ChurnLine, { say: 'sees' }>['domains']): void {
    for (const [name, account] of this.#accounts) {
      const domain = domains.find((each) => each.name === name)
      account.defined = domain?.persistent ?? false
      account.active = domain?.active ?? false
    }
  }

  #account(name: string): Account {
    const account = this.#accounts.get(name)
    if (!account) throw new RangeError(`no domain is named ${name}`)
    return account
  }
}

function uncertain(now: Belief, towards: boolean): Belief {
  return now === towards ? now : 'either'
}
