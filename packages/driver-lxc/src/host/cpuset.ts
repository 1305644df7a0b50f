const maxCpu = 8191

/** libvirt's `0-3,^2` as the kernel's `0,1,3`; `undefined` for what is none. */
export function expandCpuset(text: string): string | undefined {
  const cpus = new Set<number>()
  for (const part of text.split(',')) {
    const match = /^(\^)?(\d{1,4})(?:-(\d{1,4}))?$/.exec(part.trim())
    if (!match) return undefined
    const first = Number(match[2])
    const last = Number(match[3] ?? match[2])
    if (last < first || last > maxCpu) return undefined
    for (let cpu = first; cpu <= last; cpu++) {
      if (match[1]) cpus.delete(cpu)
      else cpus.add(cpu)
    }
  }
  return cpus.size === 0 ? undefined : [...cpus].sort((a, b) => a - b).join(',')
}
