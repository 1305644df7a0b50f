export { executableHooks } from './hooks/executable-hooks.js'
export type { HookContext, LifecycleHooks, Veto } from './hooks/lifecycle-hooks.js'
export type {
  DownRequest,
  HostLifecycle,
  RunOptions,
  StartRequest,
  StopRequest,
  UpRequest,
} from './host/host-lifecycle.js'
export { lifecycleService, lifecycleServiceName } from './host/lifecycle-service.js'
export { type LifecycleParts, LocalLifecycle } from './host/local-lifecycle.js'
export { type LifecyclePeer, PeerLifecycle } from './host/peer-lifecycle.js'
export { type BootHistory, bootHistory } from './journal/boot-history.js'
export { readBootIdentity } from './journal/boot-identity.js'
export { EventRecorder, type EventRecorderParts } from './journal/event-recorder.js'
export { explain } from './journal/explain.js'
export { FileJournal, type FileJournalOptions, readJournal } from './journal/file-journal.js'
export {
  type Journal,
  type JournalActor,
  type JournalEntry,
  type JournalEvent,
  MemoryJournal,
} from './journal/journal.js'
export { type JournalRequest, selectEntries } from './journal/select-entries.js'
export * from './model/defaults.js'
export type * from './model/policy.js'
export { resolvePolicy } from './model/resolve-policy.js'
export { formatPlan } from './plan/format-plan.js'
export type * from './plan/plan-domain.js'
export { planDot } from './plan/plan-dot.js'
export { planStart, type StartPlanOptions } from './plan/plan-start.js'
export { planStop, type StopPlanOptions } from './plan/plan-stop.js'
export { type ReadPlanDomainsOptions, readPlanDomains } from './plan/read-plan-domains.js'
export type { LeftOut, StartPlan, StartStep, StartWait } from './plan/start-plan.js'
export type { StopPlan, StopStep } from './plan/stop-plan.js'
export type { ProbeIo } from './probe/probe-io.js'
export { SystemProbeIo } from './probe/system-probe-io.js'
export type { HostConditions } from './run/host-conditions.js'
export type { Progress, ProgressPhase } from './run/progress.js'
export {
  type MakePlanOptions,
  makeStartPlan,
  makeStopPlan,
  type PlanSources,
  runAgain,
  runBoot,
} from './run/run-boot.js'
export { runStart, type StartReport, type StartResult } from './run/run-start.js'
export { runStop, type StopParts, type StopReport, type StopResult } from './run/run-stop.js'
export type { RunnerParts } from './run/runner-parts.js'
export { hostConditions, systemConditions } from './run/system-conditions.js'
export type { Fault } from './simulate/faults.js'
export {
  type AdvancingClock,
  type SimulationControls,
  type SimulationOptions,
  type SimulationReport,
  type SimulationWorld,
  type Span,
  simulate,
} from './simulate/simulate.js'
