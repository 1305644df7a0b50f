import type { DomainXml, ProcessorXml } from '@covirt/xml'
import { keyval, malformed, unsupported } from './arguments.js'
import type { Machine } from './machine.js'

/** `-smp` and `-cpu`. */
export function processorArguments(domain: DomainXml, machine: Machine): string[] {
  return [...smp(domain), ...model(domain, machine)]
}

function smp({ vcpu, cpu }: DomainXml): string[] {
  const maximum = vcpu?.count ?? 1
  const current = vcpu?.current ?? maximum
  if (maximum < 1) throw malformed('<vcpu>: a virtual machine needs at least one processor')
  if (current < 1 || current > maximum)
    throw malformed(`<vcpu current='${current}'> is not from 1 to ${maximum}`)
  if (vcpu?.cpuset !== undefined) throw unsupported('<vcpu cpuset=…>')
  const { sockets = 1, dies = 1, clusters = 1, cores = 1, threads = 1 } = cpu?.topology ?? {}
  if (cpu?.topology) {
    if (clusters !== 1) throw unsupported("<topology clusters=…> other than '1'")
    if (sockets * dies * cores * threads !== maximum)
      throw malformed(
        `<cpu><topology>: it has ${sockets * dies * cores * threads} processors, <vcpu> ${maximum}`,
      )
    return keyval('-smp', String(current), { maxcpus: maximum, sockets, dies, cores, threads })
  }
  return keyval('-smp', String(current), { maxcpus: maximum, sockets: maximum, cores: 1, threads: 1 })
}

function model({ cpu, clock, features }: DomainXml, machine: Machine): string[] {
  const name = modelName(cpu, machine)
  if (cpu?.numa) throw unsupported('<cpu><numa>')
  if (cpu?.cache) throw unsupported('<cpu><cache>')
  if (cpu?.model?.vendorId !== undefined) throw unsupported('<cpu><model vendor_id=…>')
  const flags: Record<string, boolean> = {}
  if (cpu?.mode === 'host-passthrough' && cpu.migratable !== undefined)
    flags.migratable = cpu.migratable === 'on'
  for (const { name: feature, policy = 'require' } of cpu?.features ?? []) {
    if (!/^[\w.-]+$/.test(feature))
      throw malformed(`<cpu><feature name='${feature}'> is not a processor feature`)
    if (policy !== 'optional') flags[feature] = policy === 'require' || policy === 'force'
  }
  if (features?.pmu) flags.pmu = features.pmu.state ?? true
  const kvmclock = clock?.timers.find((timer) => timer.name === 'kvmclock')?.present
  if (kvmclock !== undefined) flags.kvmclock = kvmclock
  if (name === undefined && Object.keys(flags).length === 0) return []
  return keyval('-cpu', name ?? (machine.arch === 'i686' ? 'qemu32' : 'qemu64'), flags)
}

function modelName(cpu: ProcessorXml | undefined, machine: Machine): string | undefined {
  switch (cpu?.mode) {
    case 'host-passthrough':
      if (!machine.kvm)
        throw unsupported("<cpu mode='host-passthrough'> without KVM", "Use <cpu mode='maximum'/>")
      return 'host'
    case 'maximum':
      return 'max'
    case 'host-model':
      throw unsupported("<cpu mode='host-model'>", "Use mode='host-passthrough', or 'custom' with a <model>")
    default: {
      const name = cpu?.model?.name
      if (name !== undefined && !/^[\w.-]+$/.test(name))
        throw malformed(`<cpu><model>: '${name}' is not a model`)
      return name
    }
  }
}
