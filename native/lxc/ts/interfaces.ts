import type { Container, Options } from './container.js'
import { runProgram } from './program.js'

/** A network interface as the container sees it. */
export interface ContainerInterface {
  readonly name: string
  /** Of those that have six bytes. */
  readonly mac?: string
  readonly addresses: readonly ContainerAddress[]
}

export interface ContainerAddress {
  readonly family: 'ipv4' | 'ipv6'
  readonly address: string
  readonly prefix: number
}

/** The network interfaces of a running container; `ESRCH` where it does not run. */
export async function interfaces(container: Container, options: Options = {}): Promise<ContainerInterface[]> {
  const document = await runProgram('interfaces', container, [], { signal: options.signal })
  return (document as { interfaces: ContainerInterface[] }).interfaces
}
