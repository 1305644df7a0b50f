/** How far a domain has come up: its guest runs, or it has also proved to be ready. */
export type Until = 'started' | 'ready'

/** Another domain that is to be up first; exactly one of `name` and `uuid` is there. */
export interface Dependency {
  readonly name?: string | undefined
  readonly uuid?: string | undefined
  readonly until: Until
  readonly onFailure: 'skip' | 'start'
}

/** Something of the host that is to be there first. */
export interface Requirement {
  readonly kind: 'mount' | 'network' | 'pool'
  readonly name: string
  readonly timeoutMs: number
}

/** How often a probe is tried, and for how long. */
export interface Cadence {
  readonly intervalMs: number
  readonly timeoutMs: number
}

/** One way in which a guest can prove to be ready. */
export type ProbeSpec = Cadence &
  (
    | { readonly kind: 'agent' }
    /** Without `host`, the guest's own address. */
    | { readonly kind: 'tcp'; readonly host?: string | undefined; readonly port: number }
    | { readonly kind: 'http'; readonly url: string; readonly status?: number | undefined }
    | { readonly kind: 'exec'; readonly args: readonly string[] }
    | { readonly kind: 'console'; readonly pattern: string; readonly device?: string | undefined }
    | { readonly kind: 'address'; readonly family?: 'ipv4' | 'ipv6' | undefined }
    | { readonly kind: 'init' }
    | { readonly kind: 'notify' }
  )

/** The kinds of probes there are. */
export type ProbeKind = ProbeSpec['kind']

/** When a guest that runs counts as ready. */
export interface Readiness {
  /** Whether all probes are to succeed or one is enough. */
  readonly match: 'all' | 'any'
  readonly probes: readonly ProbeSpec[]
}

/** How a domain comes up. */
export interface StartPolicy {
  readonly order: number
  readonly delayMs: number
  readonly attempts: number
  readonly backoffMs: number
  /** How long one attempt may take. */
  readonly timeoutMs: number
  readonly restore: boolean
  readonly once: boolean
  readonly after: readonly Dependency[]
  readonly requires: readonly Requirement[]
  /** `undefined`: it is ready as soon as it runs. */
  readonly readiness?: Readiness | undefined
}

/** What becomes of a domain when its host goes down. */
export type StopAction = 'shutdown' | 'save' | 'destroy' | 'leave'

/** One thing that is tried to bring a domain down. */
export interface Rung {
  /** `request`: by whatever means the driver thinks best. */
  readonly by: 'agent' | 'acpi' | 'signal' | 'request' | 'save' | 'destroy'
  readonly budgetMs: number
}

/** How a domain goes down. */
export interface StopPolicy {
  readonly action: StopAction
  /** Those with a higher one go down first. */
  readonly priority: number
  /** Ends with `destroy`; empty where the domain is left alone. */
  readonly ladder: readonly Rung[]
}

/** When and how a domain comes up and goes down. */
export interface LifecyclePolicy {
  readonly start: StartPolicy
  readonly stop: StopPolicy
}
