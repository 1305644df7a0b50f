import { type Domain, VirError } from '@covirt/core'
import { firstElementOf, readElement, textOf } from '@covirt/xml'
import type { Cli } from './cli.js'
import { editText } from './edit-text.js'

/**
 * Lets a person change the definition of a domain with their editor, and defines what it has become. `OPERATION_INVALID`
 * where the domain is transient, and where another has changed the definition meanwhile; `INVALID_ARG` where the document
 * has become that of another domain.
 */
export async function editDomain(cli: Cli, text: string): Promise<void> {
  const domain = await cli.domain(text)
  if (!(await domain.isPersistent(cli)))
    throw new VirError('OPERATION_INVALID', `Domain '${domain.name}' is transient: it has no definition`, {
      domain: 'DOM',
    })
  let stored = await definitionOf(cli, domain)
  const edited = await editText(cli, {
    text: stored,
    fileName: 'domain.xml',
    accept: async (xml) => {
      checkIdentity(domain, xml)
      const before = stored
      stored = await definitionOf(cli, domain)
      if (stored !== before)
        throw new VirError(
          'OPERATION_INVALID',
          `The definition of '${domain.name}' was changed by somebody else meanwhile`,
          { domain: 'DOM', hint: `'covirt dumpxml --inactive ${domain.name}' shows what it is now` },
        )
      const { domains } = await cli.connection()
      await domains.define(xml, { signal: cli.signal })
    },
  })
  const how = edited ? 'edited' : 'not changed'
  cli.result({
    json: { ...domain.ref, changed: edited },
    text: `Domain '${domain.name}' XML configuration ${how}.\n`,
  })
}

function definitionOf(cli: Cli, domain: Domain): Promise<string> {
  return domain.xml({ inactive: true, secure: true, signal: cli.signal })
}

function checkIdentity(domain: Domain, xml: string): void {
  const document = readElement(xml)
  const said = (child: string) => {
    const element = firstElementOf(document, child)
    return element ? textOf(element).trim() : ''
  }
  const uuid = said('uuid').replaceAll('-', '').toLowerCase()
  if (said('name') === domain.name && uuid === domain.uuid.replaceAll('-', '')) return
  throw new VirError('INVALID_ARG', `The name and the uuid of '${domain.name}' cannot be edited`, {
    domain: 'DOM',
    hint: 'covirt domrename gives it another name, covirt define makes another domain',
  })
}
