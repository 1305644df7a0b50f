import {
  anySignal,
  type CallOptions,
  type DomainStateName,
  domainStateNames,
  type NamespaceName,
  namespaceNames,
  requireRole,
  roleNames,
  VirError,
} from '@covirt/core'
import { type Access, decodeRoleValue, encodeRoleValue, roleAccess, stateToNumbers } from '@covirt/protocol'
import { ExecStream } from '../exec-stream.js'
import type { Call, Handlers } from '../handler.js'

type Method = (...args: readonly unknown[]) => Promise<unknown>

export const covirtHandlers = {
  covirtDescribe: async ({ driver, options, session }) => {
    const { library, hypervisors } = await driver.getVersion(options)
    return {
      library,
      hypervisors: Object.entries(hypervisors).map(([name, version]) => ({ name, version })),
      roles: roleNames.filter((name) => driver[name] !== undefined),
      services: Object.keys(session.services),
      nativeFormats: driver.nativeConfig?.nativeFormats ?? [],
    }
  },
  covirtGetAllDomainStats: async ({ driver, options }, { states, ...filter }) => {
    const stats = await driver.getAllDomainStats({ ...filter, states: states && namesOf(states) }, options)
    return {
      stats: stats.map(({ state, maxMemoryKib, memoryKib, ...rest }) => ({
        ...rest,
        ...stateToNumbers(state),
        maxMemoryKib: BigInt(maxMemoryKib),
        memoryKib: BigInt(memoryKib),
      })),
    }
  },
  covirtQueryRole: (call, { role, method, args }) => callRole(call, 'read', role, method, args),
  covirtCallRole: (call, { role, method, args }) => callRole(call, 'write', role, method, args),
  covirtExec: async (call, { domain, argv, env, terminal, namespaces, ...where }) => {
    call.session.streams.reserve()
    const { driver, options } = call
    const over = new AbortController()
    const program = await requireRole(driver, 'exec').exec(domain, argv, {
      ...where,
      env: Object.fromEntries(env.map(({ name, value }) => [name, value])),
      tty: terminal,
      namespaces: namespaces?.map(namespaceOf),
      signal: anySignal(options.signal, over.signal),
    })
    call.openStream(new ExecStream(program, () => over.abort()))
    return { pid: program.pid }
  },
  covirtCallService: async (call, { service, method, args: text }) => {
    const { services } = call.session
    const { identity } = call.session.access
    const found = own(own(services, service), method)
    if (!found)
      throw new VirError('NO_SUPPORT', `There is no service '${service}' with a method '${method}'`, {
        domain: 'RPC',
      })
    if (found.role !== 'read') call.require(found.role, found)
    const args = decodeRoleValue(text)
    if (!Array.isArray(args))
      throw new VirError('INVALID_ARG', 'The arguments are no list', { domain: 'RPC' })
    const onProgress = (value: unknown) => call.progress(encodeRoleValue(value) ?? '')
    const options = { ...call.options, identity, driver: call.driver, onProgress }
    return { result: encodeRoleValue(await found.call(args, options)) }
  },
} satisfies Handlers

async function callRole(
  { driver, options }: Call,
  access: Access,
  role: string,
  method: string,
  text: string,
): Promise<{ readonly result: string | undefined }> {
  const name = roleNames.find((each) => each === role)
  if (!name || roleAccess(role, method) !== access)
    throw new VirError('NO_SUPPORT', `Role '${role}' has no method '${method}' to be called in this way`, {
      domain: 'RPC',
    })
  const found = requireRole(driver, name) as unknown as Readonly<Record<string, Method>>
  const [domain, ...rest] = argumentsOf(text)
  const last = rest.pop()
  const withSignal: CallOptions = { ...(typeof last === 'object' ? last : {}), ...options }
  const result = await (found[method] as Method).call(found, domain, ...rest, withSignal)
  return { result: encodeRoleValue(result) }
}

/** A domain first, options last. */
function argumentsOf(text: string): readonly [unknown, ...unknown[]] {
  const args = decodeRoleValue(text)
  const [domain] = Array.isArray(args) ? (args as readonly unknown[]) : []
  const isDomain =
    typeof domain === 'object' &&
    domain !== null &&
    'uuid' in domain &&
    typeof domain.uuid === 'string' &&
    'name' in domain &&
    typeof domain.name === 'string'
  if (isDomain) return args as readonly [unknown, ...unknown[]]
  throw new VirError('INVALID_ARG', 'The first argument of a method of a role is a domain', { domain: 'RPC' })
}

function namespaceOf(name: string): NamespaceName {
  const found = namespaceNames.find((each) => each === name)
  if (found) return found
  throw new VirError('INVALID_ARG', `'${name}' is no kind of namespaces`, {
    hint: `There are: ${namespaceNames.join(', ')}`,
  })
}

function namesOf(states: readonly number[]): readonly DomainStateName[] {
  return states.map((number) => domainStateNames[number]).filter((name) => name !== undefined)
}

/** Names come from the client: nothing is looked up that we have not put there. */
function own<T>(table: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return table && Object.hasOwn(table, key) ? table[key] : undefined
}
