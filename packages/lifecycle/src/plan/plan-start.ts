import type { LifecycleDefaults } from '../model/defaults.js'
import type { Dependency } from '../model/policy.js'
import { bottomUp, components, cyclesOf } from './cycles.js'
import type { PlanDomain, PlanProblem } from './plan-domain.js'
import { type LeftOut, type StartPlan, type StartStep, wantedBecause } from './start-plan.js'
import { withTimes } from './start-times.js'

/** How a start plan is made. */
export interface StartPlanOptions {
  readonly defaults: Pick<LifecycleDefaults, 'pullIn'>
  /** How many domains boot at the same time. */
  readonly limit: number
  /** The uuids of the only domains that are wanted, whether or not they are marked. Default: those marked. */
  readonly only?: ReadonlySet<string> | undefined
}

/** One domain while the plan is made. */
interface Node {
  readonly domain: PlanDomain
  readonly reasons: string[]
  edges: Edge[]
  leftOut: string | undefined
  order: number
  depth: number
}

interface Edge {
  readonly to: number
  readonly dependency: Dependency
}

/**
 * What is to be started, when and why. Pure: the same domains, in whatever order, give the same plan. Domains that
 * need each other in a circle are not started, but for circles that go through a dependency with
 * `on-failure='start'`: that one is given up. Both are told in `problems`.
 */
export function planStart(domains: readonly PlanDomain[], options: StartPlanOptions): StartPlan {
  const sorted = [...domains].sort(byName)
  const problems: PlanProblem[] = sorted.flatMap(({ ref, problem }) =>
    problem === undefined
      ? []
      : [{ kind: 'bad-metadata', domains: [ref.name], message: `${problem}; the defaults hold for it` }],
  )
  const nodes = sorted.map(
    (domain): Node => ({
      domain,
      reasons: [],
      edges: [],
      leftOut: undefined,
      order: domain.policy.start.order,
      depth: 0,
    }),
  )
  link(nodes, problems)
  chooseWanted(nodes, options, problems)
  breakCycles(nodes, problems)
  leaveOutDependents(nodes, problems)
  arrange(nodes, problems)
  return withTimes({
    kind: 'start',
    steps: nodes
      .filter(isIn)
      .sort(byPlace)
      .map((node) => stepOf(node, nodes)),
    leftOut: nodes.flatMap(({ domain, leftOut }): LeftOut[] =>
      leftOut === undefined ? [] : [{ ...domain.ref, reason: leftOut }],
    ),
    problems,
    limit: Math.max(1, options.limit),
  })
}

const isIn = ({ leftOut }: Node) => leftOut === undefined

/** Finds the domains that dependencies name. */
function link(nodes: readonly Node[], problems: PlanProblem[]): void {
  const byUuid = new Map(nodes.map(({ domain }, index) => [domain.ref.uuid, index]))
  const byDomainName = new Map(nodes.map(({ domain }, index) => [domain.ref.name, index]))
  for (const node of nodes) {
    const { name } = node.domain.ref
    // A domain that runs waits for nobody.
    for (const dependency of node.domain.active ? [] : node.domain.policy.start.after) {
      const { uuid } = dependency
      const to = uuid === undefined ? byDomainName.get(dependency.name ?? '') : byUuid.get(uuid)
      if (to !== undefined) {
        node.edges.push({ to, dependency })
        continue
      }
      const other = dependency.name ?? uuid ?? ''
      const skip = dependency.onFailure === 'skip'
      if (skip) node.leftOut = `it is to start after '${other}', which does not exist`
      problems.push({
        kind: 'unknown-domain',
        domains: [name, other],
        message: `'${name}' is to start after '${other}', which does not exist${skip ? '' : '; it starts without it'}`,
      })
    }
  }
}

/** Leaves out what nobody wants, and pulls in what those that are wanted need. */
function chooseWanted(nodes: readonly Node[], options: StartPlanOptions, problems: PlanProblem[]): void {
  const wanted = new Set<number>()
  const queue: number[] = []
  const want = (index: number, reason: string) => {
    if (wanted.has(index)) return
    wanted.add(index)
    nodes[index]?.reasons.push(reason)
    queue.push(index)
  }
  for (const [index, { domain }] of nodes.entries()) {
    const reason = options.only
      ? options.only.has(domain.ref.uuid) && 'it was asked for'
      : wantedBecause(domain)
    if (reason) want(index, reason)
  }
  for (let at = 0; at < queue.length; at++) {
    const node = nodes[queue[at] as number] as Node
    const { name } = node.domain.ref
    for (const { to } of node.edges) {
      const target = nodes[to] as Node
      if (wanted.has(to)) continue
      const { active, ref } = target.domain
      const pulledIn = active || options.defaults.pullIn
      if (pulledIn) want(to, `'${name}' is to start after it`)
      if (active) continue
      problems.push({
        kind: 'not-autostarted',
        domains: [name, ref.name],
        message: `'${name}' is to start after '${ref.name}', which is not marked to be started${pulledIn ? '; it is started too' : ''}`,
      })
    }
  }
  for (const [index, node] of nodes.entries()) {
    const { active, persistent, held } = node.domain
    if (!wanted.has(index)) node.leftOut = 'it is not marked to be started at boot'
    else if (!active && held !== undefined) node.leftOut = held
    else if (!active && !persistent) node.leftOut = 'it has no definition that it could be started from'
  }
}

/** Gives up weak dependencies that are part of a circle, and leaves out the domains of all others. */
function breakCycles(nodes: readonly Node[], problems: PlanProblem[]): void {
  const adjacent = () =>
    nodes.map(({ edges }) => edges.map(({ to }) => to).filter((to) => isIn(nodes[to] as Node)))
  const names = (path: readonly number[]) => path.map((index) => nodes[index]?.domain.ref.name ?? '')
  const told = new Set<string>()
  const tell = (path: readonly number[]) => {
    const domains = names(path)
    const message = `These wait for each other: ${domains.join(' → ')}`
    if (told.has(message)) return
    told.add(message)
    problems.push({ kind: 'cycle', domains, message })
  }
  const all = adjacent()
  const next = (index: number) => all[index] ?? []
  const cycles = cyclesOf(nodes.length, next)
  if (cycles.length === 0) return
  for (const path of cycles) tell(path)
  giveUpWeak(nodes, components(nodes.length, next), problems)
  const hard = adjacent()
  const hardCycles = cyclesOf(nodes.length, (index) => hard[index] ?? [])
  for (const path of hardCycles) tell(path)
  for (const path of [...hardCycles].reverse()) {
    const reason = `it waits for itself: ${names(path).join(' → ')}`
    for (const index of path) (nodes[index] as Node).leftOut = reason
  }
}

function giveUpWeak(
  nodes: readonly Node[],
  { of, cyclic }: ReturnType<typeof components>,
  problems: PlanProblem[],
): void {
  for (const [index, node] of nodes.entries()) {
    if (!cyclic.has(of[index] as number)) continue
    node.edges = node.edges.filter(({ to, dependency }) => {
      if (of[index] !== of[to] || dependency.onFailure === 'skip') return true
      const [name, other] = [node.domain.ref.name, nodes[to]?.domain.ref.name ?? '']
      const message = `'${name}' does not wait for '${other}', which waits for it in turn`
      problems.push({ kind: 'gave-up', domains: [name, other], message })
      return false
    })
  }
}

/** A domain that cannot do without one that is left out is left out too; one that can starts without it. */
function leaveOutDependents(nodes: readonly Node[], problems: PlanProblem[]): void {
  const dependents = new Map<number, { readonly from: number; readonly edge: Edge }[]>()
  for (const [from, { edges }] of nodes.entries()) {
    for (const edge of edges) {
      const known = dependents.get(edge.to)
      if (known) known.push({ from, edge })
      else dependents.set(edge.to, [{ from, edge }])
    }
  }
  const queue = nodes.flatMap((node, index) => (isIn(node) ? [] : [index]))
  for (let at = 0; at < queue.length; at++) {
    const index = queue[at] as number
    const { domain } = nodes[index] as Node
    for (const { from, edge } of dependents.get(index) ?? []) {
      const node = nodes[from] as Node
      if (!isIn(node)) continue
      const [name, other] = [node.domain.ref.name, domain.ref.name]
      if (edge.dependency.onFailure === 'start') {
        node.edges = node.edges.filter((each) => each !== edge)
        node.reasons.push(`it does not wait for '${other}', which is not started`)
        continue
      }
      node.leftOut = `it is to start after '${other}', which is not started`
      problems.push({
        kind: 'left-out',
        domains: [name, other],
        message: `'${name}' is not started, because it is to start after '${other}', which is not`,
      })
      queue.push(from)
    }
  }
}

/** Orders and depths: what others need comes no later than they do. */
function arrange(nodes: readonly Node[], problems: PlanProblem[]): void {
  const order = bottomUp(nodes.length, (index) => nodes[index]?.edges.map(({ to }) => to) ?? [])
  for (const index of [...order].reverse()) {
    const node = nodes[index] as Node
    if (!isIn(node)) continue
    for (const { to } of node.edges) {
      const target = nodes[to] as Node
      if (target.order <= node.order) continue
      const [name, other] = [node.domain.ref.name, target.domain.ref.name]
      problems.push({
        kind: 'order-changed',
        domains: [other, name],
        message: `'${other}' has order ${node.order} instead of ${target.order}, because '${name}' is to start after it`,
      })
      target.order = node.order
    }
  }
  for (const index of order) {
    const node = nodes[index] as Node
    node.depth = Math.max(0, ...node.edges.map(({ to }) => (nodes[to]?.depth ?? 0) + 1))
  }
}

function stepOf(node: Node, nodes: readonly Node[]): Omit<StartStep, 'earliestMs' | 'worstMs'> {
  const { domain, order, edges, reasons } = node
  const waits = edges.map(({ to, dependency: { until, onFailure } }) => {
    const { ref } = (nodes[to] as Node).domain
    return { uuid: ref.uuid, name: ref.name, until, onFailure }
  })
  return {
    uuid: domain.ref.uuid,
    name: domain.ref.name,
    active: domain.active,
    order,
    waits,
    policy: domain.policy.start,
    reasons: [...reasons, ...(domain.active ? ['it runs already'] : [])],
  }
}

function byPlace(a: Node, b: Node): number {
  return a.order - b.order || a.depth - b.depth || byName(a.domain, b.domain)
}

function byName({ ref: a }: PlanDomain, { ref: b }: PlanDomain): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1
  return a.uuid < b.uuid ? -1 : a.uuid > b.uuid ? 1 : 0
}
