import type { StartPlan } from './start-plan.js'
import type { StopPlan } from './stop-plan.js'

/** A plan as lines for people: each domain in its turn with its reasons and times, then what is left out and what is odd. */
export function formatPlan(plan: StartPlan | StopPlan): string {
  const lines = plan.kind === 'start' ? startLines(plan) : stopLines(plan)
  const left = plan.leftOut.map(({ name, reason }) => `  ${name}: ${reason}`)
  const problems = plan.problems.map(({ message }) => `  ${message}`)
  return [
    ...lines,
    ...(left.length > 0 ? ['', plan.kind === 'start' ? 'Not started:' : 'Left up:', ...left] : []),
    ...(problems.length > 0 ? ['', 'To be looked at:', ...problems] : []),
    '',
  ].join('\n')
}

function startLines({ steps, limit, earliestMs, worstMs }: StartPlan): readonly string[] {
  if (steps.length === 0) return ['Nothing is to be started']
  const lines = [
    `${count(steps.length)}, ${limit} at a time, up within ${seconds(earliestMs)} to ${seconds(worstMs)}`,
  ]
  let order: number | undefined
  for (const step of steps) {
    if (step.order !== order) {
      order = step.order
      lines.push('', `Order ${order}`)
    }
    const { policy, waits } = step
    const probes = policy.readiness?.probes.map(({ kind }) => kind) ?? []
    lines.push(`  ${step.name}  ${seconds(step.earliestMs)} to ${seconds(step.worstMs)}`)
    for (const reason of step.reasons) lines.push(`      ${reason}`)
    for (const { name, until, onFailure } of waits) {
      lines.push(`      after '${name}' is ${until}${onFailure === 'start' ? ', or has failed' : ''}`)
    }
    for (const { kind, name } of policy.requires) lines.push(`      once ${kind} '${name}' is there`)
    if (probes.length > 0) {
      lines.push(`      ready by ${probes.join(policy.readiness?.match === 'any' ? ' or ' : ' and ')}`)
    }
  }
  return lines
}

function stopLines({ steps, deadlineMs, worstMs }: StopPlan): readonly string[] {
  if (steps.length === 0) return ['Nothing is to be stopped']
  const lines = [
    `${count(steps.length)}, down within ${seconds(Math.min(worstMs, deadlineMs))} at the most (deadline ${seconds(deadlineMs)})`,
  ]
  let rank: number | undefined
  let turn = 0
  for (const step of steps) {
    if (step.rank !== rank) {
      rank = step.rank
      turn += 1
      lines.push('', `Turn ${turn}`)
    }
    lines.push(`  ${step.name}  within ${seconds(Math.min(step.worstMs, deadlineMs))}`)
    for (const reason of step.reasons) lines.push(`      ${reason}`)
    for (const { name } of step.waits) lines.push(`      after '${name}' is off`)
  }
  return lines
}

function count(domains: number): string {
  return domains === 1 ? '1 domain' : `${domains} domains`
}

function seconds(ms: number): string {
  return `${Number((ms / 1000).toFixed(1))} s`
}
