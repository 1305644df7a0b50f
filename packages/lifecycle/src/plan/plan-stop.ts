import type { LifecycleDefaults } from '../model/defaults.js'
import { bottomUp, components } from './cycles.js'
import type { PlanDomain, PlanProblem } from './plan-domain.js'
import { ladderMs, type StopPlan, type StopStep } from './stop-plan.js'

/** How a stop plan is made. */
export interface StopPlanOptions {
  readonly defaults: Pick<LifecycleDefaults, 'deadlineMs'>
  /** The uuids of the only domains that go down. Default: all that are up. */
  readonly only?: ReadonlySet<string> | undefined
}

interface Node {
  readonly domain: PlanDomain
  /** Those that go down before this one: they start after it. */
  dependents: readonly number[]
  priority: number
  order: number
  rank: number
  depth: number
}

/**
 * What goes down, when and why: the start order turned round, over all domains that are up. Pure, as `planStart`.
 * Everything goes down: where domains need each other in a circle they are asked at the same time, and the circle
 * is told in `problems`.
 */
export function planStop(domains: readonly PlanDomain[], options: StopPlanOptions): StopPlan {
  const { deadlineMs } = options.defaults
  const up = domains.filter(({ active, ref }) => active && (options.only?.has(ref.uuid) ?? true)).sort(byName)
  const stays = (domain: PlanDomain) => domain.policy.stop.action === 'leave'
  const problems: PlanProblem[] = []
  const nodes = up
    .filter((domain) => !stays(domain))
    .map(
      (domain): Node => ({
        domain,
        dependents: [],
        priority: domain.policy.stop.priority,
        order: domain.policy.start.order,
        rank: 0,
        depth: 0,
      }),
    )
  link(nodes)
  breakCycles(nodes, problems)
  rank(nodes)
  const steps = timed([...nodes].sort(byPlace), nodes)
  const worstMs = steps.reduce((latest, step) => Math.max(latest, step.worstMs), 0)
  if (worstMs > deadlineMs) {
    problems.push({
      kind: 'deadline',
      domains: [],
      message: `The budgets add up to ${worstMs / 1000} s and are cut to the ${deadlineMs / 1000} s that there are`,
    })
  }
  const leftOut = up.filter(stays).map(({ ref }) => ({ ...ref, reason: 'it is to be left alone' }))
  return { kind: 'stop', steps, leftOut, problems, deadlineMs, worstMs }
}

function link(nodes: readonly Node[]): void {
  const byUuid = new Map(nodes.map(({ domain }, index) => [domain.ref.uuid, index]))
  const byDomainName = new Map(nodes.map(({ domain }, index) => [domain.ref.name, index]))
  const dependents = nodes.map(() => new Set<number>())
  for (const [index, { domain }] of nodes.entries()) {
    for (const { name, uuid } of domain.policy.start.after) {
      const to = uuid === undefined ? byDomainName.get(name ?? '') : byUuid.get(uuid)
      if (to !== undefined && to !== index) dependents[to]?.add(index)
    }
  }
  for (const [index, node] of nodes.entries()) node.dependents = [...(dependents[index] ?? [])]
}

function breakCycles(nodes: readonly Node[], problems: PlanProblem[]): void {
  const { of, cyclic } = components(nodes.length, (index) => nodes[index]?.dependents ?? [])
  if (cyclic.size === 0) return
  const circles = new Map<number, string[]>()
  for (const [index, node] of nodes.entries()) {
    const component = of[index] as number
    if (!cyclic.has(component)) continue
    node.dependents = node.dependents.filter((other) => of[other] !== component)
    const members = circles.get(component)
    if (members) members.push(node.domain.ref.name)
    else circles.set(component, [node.domain.ref.name])
  }
  for (const domains of circles.values()) {
    const message = `These need each other and go down at the same time: ${domains.join(', ')}`
    problems.push({ kind: 'cycle', domains, message })
  }
}

/** Whoever needs a domain goes down no later than it. */
function rank(nodes: readonly Node[]): void {
  const order = bottomUp(nodes.length, (index) => nodes[index]?.dependents ?? [])
  for (const index of [...order].reverse()) {
    const node = nodes[index] as Node
    for (const other of node.dependents) {
      const dependent = nodes[other] as Node
      if (compareRank(dependent, node) < 0)
        Object.assign(dependent, { priority: node.priority, order: node.order })
    }
  }
  const ranks = [...nodes].sort(compareRank)
  for (const [index, node] of ranks.entries()) {
    const before = ranks[index - 1]
    node.rank = before ? before.rank + (compareRank(before, node) < 0 ? 1 : 0) : 0
  }
  for (const index of order) {
    const node = nodes[index] as Node
    node.depth = Math.max(0, ...node.dependents.map((other) => (nodes[other]?.depth ?? 0) + 1))
  }
}

function timed(sorted: readonly Node[], nodes: readonly Node[]): readonly StopStep[] {
  const worst = new Map<Node, number>()
  let [rankNow, floorMs, nextMs] = [Number.NaN, 0, 0]
  for (const node of sorted) {
    if (node.rank !== rankNow) [rankNow, floorMs] = [node.rank, nextMs]
    const begin = node.dependents.reduce(
      (ms, other) => Math.max(ms, worst.get(nodes[other] as Node) ?? 0),
      floorMs,
    )
    const end = begin + ladderMs(node.domain.policy.stop)
    worst.set(node, end)
    nextMs = Math.max(nextMs, end)
  }
  const after = afterTimes(sorted, nodes)
  return sorted.map((node) => ({
    uuid: node.domain.ref.uuid,
    name: node.domain.ref.name,
    rank: node.rank,
    waits: node.dependents.map((other) => ({ ...(nodes[other] as Node).domain.ref })),
    policy: node.domain.policy.stop,
    reasons: reasonsOf(node.domain),
    earliestMs: 0,
    worstMs: worst.get(node) ?? 0,
    afterMs: after.get(node) ?? 0,
  }))
}

/** The longest way from each step's end to the end of the plan. */
function afterTimes(sorted: readonly Node[], nodes: readonly Node[]): ReadonlyMap<Node, number> {
  const after = new Map<Node, number>()
  const needs = new Map<Node, number>()
  let [rankNow, lower, longest] = [Number.NaN, 0, 0]
  for (const node of [...sorted].reverse()) {
    if (node.rank !== rankNow) [rankNow, lower] = [node.rank, longest]
    const own = Math.max(lower, needs.get(node) ?? 0)
    after.set(node, own)
    const whole = own + ladderMs(node.domain.policy.stop)
    longest = Math.max(longest, whole)
    for (const other of node.dependents) {
      const dependent = nodes[other] as Node
      needs.set(dependent, Math.max(needs.get(dependent) ?? 0, whole))
    }
  }
  return after
}

function reasonsOf({ policy, problem }: PlanDomain): readonly string[] {
  const { action, ladder } = policy.stop
  const tried = ladder.map(({ by, budgetMs }) => `${by} ${budgetMs / 1000} s`).join(', then ')
  return [
    action === 'shutdown' ? `it is asked to shut down: ${tried}` : `it is to be ended by ${action}: ${tried}`,
    ...(problem === undefined ? [] : [`${problem}; the defaults hold for it`]),
  ]
}

/** Negative where `a` goes down after `b`. */
function compareRank(a: Node, b: Node): number {
  return a.priority - b.priority || a.order - b.order
}

function byPlace(a: Node, b: Node): number {
  return b.rank - a.rank || a.depth - b.depth || byName(a.domain, b.domain)
}

function byName({ ref: a }: PlanDomain, { ref: b }: PlanDomain): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1
  return a.uuid < b.uuid ? -1 : a.uuid > b.uuid ? 1 : 0
}
