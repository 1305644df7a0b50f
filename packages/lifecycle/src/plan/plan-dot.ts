import type { StartPlan } from './start-plan.js'
import type { StopPlan } from './stop-plan.js'

/** A plan as a graph in Graphviz' language (dot(1)): an arrow leads from what comes first to what waits for it. */
export function planDot(plan: StartPlan | StopPlan): string {
  const lines = ['digraph plan {', '  rankdir=LR;', '  node [shape=box];']
  const groups = new Map<number, string[]>()
  for (const step of plan.steps) {
    const group = 'order' in step ? step.order : step.rank
    const names = groups.get(group)
    if (names) names.push(step.name)
    else groups.set(group, [step.name])
    for (const wait of step.waits) {
      const label = 'until' in wait ? ` [label=${quoted(wait.until)}]` : ''
      lines.push(`  ${quoted(wait.name)} -> ${quoted(step.name)}${label};`)
    }
  }
  for (const [group, names] of groups) {
    const label = plan.kind === 'start' ? `order ${group}` : `rank ${group}`
    lines.push(`  subgraph ${quoted(`cluster_${group}`)} {`, `    label=${quoted(label)};`)
    lines.push(...names.map((name) => `    ${quoted(name)};`), '  }')
  }
  for (const { name } of plan.leftOut) lines.push(`  ${quoted(name)} [style=dashed];`)
  return [...lines, '}', ''].join('\n')
}

function quoted(text: string): string {
  return `"${text.replace(/[\\"]/g, '\\$&')}"`
}
