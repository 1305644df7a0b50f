/** The machine that a driver's guests run on (virNodeInfo). */
export interface NodeInfo {
  /** The processor architecture, as `uname -m` names it. */
  readonly model: string
  readonly memoryKib: number
  readonly cpus: number
  /** Of the first processor; 0 where it is not known. */
  readonly mhz: number
  /** NUMA nodes. */
  readonly nodes: number
  /** Sockets in a node. */
  readonly sockets: number
  /** Cores in a socket. */
  readonly cores: number
  /** Threads in a core. */
  readonly threads: number
}

/** Which guests of a host are meant; what is left out may be anything. */
export interface GuestKind {
  /** The path of the program that runs them. */
  readonly emulator?: string
  readonly arch?: string
  readonly machine?: string
  /** The `type` of their `<domain>`. */
  readonly type?: string
}

/** Which software stands behind a connection. */
export interface VersionInfo {
  /** covirt's own version. */
  readonly library: string
  /** What runs the guests, for example `{ liblxc: '5.0.2' }`; empty where there is nothing to name. */
  readonly hypervisors: Readonly<Record<string, string>>
}
