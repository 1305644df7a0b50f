/**
 * The strongly connected components of a graph of `count` nodes, as the number of its component for each node, and
 * whether a component has a cycle. `next` gives the nodes that a node leads to. Works without recursion.
 */
export function components(
  count: number,
  next: (node: number) => readonly number[],
): { readonly of: Int32Array; readonly cyclic: ReadonlySet<number> } {
  const of = new Int32Array(count).fill(-1)
  const index = new Int32Array(count).fill(-1)
  const low = new Int32Array(count)
  const onStack = new Uint8Array(count)
  const cyclic = new Set<number>()
  const stack: number[] = []
  let [visited, found] = [0, 0]
  for (let root = 0; root < count; root++) {
    if (index[root] !== -1) continue
    const work: { node: number; edge: number }[] = [{ node: root, edge: 0 }]
    while (work.length > 0) {
      const frame = work[work.length - 1] as { node: number; edge: number }
      const { node } = frame
      if (frame.edge === 0) {
        index[node] = low[node] = visited++
        stack.push(node)
        onStack[node] = 1
      }
      const target = next(node)[frame.edge++]
      if (target !== undefined) {
        if (target === node) cyclic.add(-1 - node)
        if (index[target] === -1) work.push({ node: target, edge: 0 })
        else if (onStack[target]) low[node] = Math.min(low[node] as number, index[target] as number)
        continue
      }
      work.pop()
      const parent = work[work.length - 1]
      if (parent) low[parent.node] = Math.min(low[parent.node] as number, low[node] as number)
      if (low[node] !== index[node]) continue
      let [member, size] = [-1, 0]
      do {
        member = stack.pop() as number
        onStack[member] = 0
        of[member] = found
        size++
      } while (member !== node)
      if (size > 1 || cyclic.has(-1 - node)) cyclic.add(found)
      found++
    }
  }
  return { of, cyclic: new Set([...cyclic].filter((each) => each >= 0)) }
}

/**
 * Cycles that together pass through every node that is in one, each as a path whose last node is its first. Each is a
 * shortest one through the first node, in the given order, that no earlier one passes through.
 */
export function cyclesOf(
  count: number,
  next: (node: number) => readonly number[],
): readonly (readonly number[])[] {
  const { of, cyclic } = components(count, next)
  const covered = new Set<number>()
  const cycles: number[][] = []
  for (let node = 0; node < count; node++) {
    if (!cyclic.has(of[node] as number) || covered.has(node)) continue
    const path = shortestCycle(node, (each) => next(each).filter((target) => of[target] === of[node]))
    for (const each of path) covered.add(each)
    cycles.push(path)
  }
  return cycles
}

function shortestCycle(start: number, next: (node: number) => readonly number[]): number[] {
  const from = new Map<number, number>()
  const queue = [start]
  for (let at = 0; at < queue.length; at++) {
    const node = queue[at] as number
    for (const target of next(node)) {
      if (target === start) {
        const path = [start]
        for (let each = node; each !== start; each = from.get(each) as number) path.push(each)
        return [...path, start].reverse()
      }
      if (from.has(target)) continue
      from.set(target, node)
      queue.push(target)
    }
  }
  return [start, start]
}

/** The nodes of an acyclic graph in an order in which each comes after all that it leads to. */
export function bottomUp(count: number, next: (node: number) => readonly number[]): readonly number[] {
  const done = new Uint8Array(count)
  const order: number[] = []
  for (let root = 0; root < count; root++) {
    if (done[root]) continue
    const work: { node: number; edge: number }[] = [{ node: root, edge: 0 }]
    done[root] = 1
    while (work.length > 0) {
      const frame = work[work.length - 1] as { node: number; edge: number }
      const target = next(frame.node)[frame.edge++]
      if (target === undefined) {
        order.push(frame.node)
        work.pop()
      } else if (!done[target]) {
        done[target] = 1
        work.push({ node: target, edge: 0 })
      }
    }
  }
  return order
}
