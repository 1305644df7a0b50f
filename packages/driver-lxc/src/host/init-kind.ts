/** By what an init is told to go down and to restart: names as kill(1) knows them, with SIG. */
export interface InitSignals {
  readonly halt: string
  readonly reboot: string
}

/**
 * Which conventions inits follow. `application`: no init at all, but a program as process 1, or one that passes
 * signals on to it. `unknown`: to be judged by what it does with signals.
 */
export const initKinds = ['systemd', 'busybox', 'sysvinit', 'openrc', 'application', 'unknown'] as const

/** One of {@link initKinds}. */
export type InitKind = (typeof initKinds)[number]

/**
 * What each kind understands.
 * - systemd: SIGRTMIN+3 and SIGINT (systemd(1)).
 * - busybox: SIGUSR2 and SIGTERM; SIGPWR is a patch of some distributions (init/init.c).
 * - sysvinit (and what takes its place): SIGPWR runs `powerfail` of inittab, SIGINT `ctrlaltdel` (init(8)).
 * - openrc: SIGTERM powers off, SIGINT restarts (openrc-init(8)).
 * - unknown: as applications, unless it is found to be an init.
 */
const signals: Readonly<Record<InitKind, InitSignals>> = {
  systemd: { halt: 'SIGRTMIN+3', reboot: 'SIGINT' },
  busybox: { halt: 'SIGUSR2', reboot: 'SIGTERM' },
  sysvinit: { halt: 'SIGPWR', reboot: 'SIGINT' },
  openrc: { halt: 'SIGTERM', reboot: 'SIGINT' },
  application: { halt: 'SIGTERM', reboot: 'SIGTERM' },
  unknown: { halt: 'SIGTERM', reboot: 'SIGTERM' },
}

/**
 * The kind of the init `path` that turned out to be the file `resolved`, both inside of the container, by their
 * names: busybox is many programs, and which one it is depends on the name it is called by.
 */
export function initKind(path: string, resolved: string): InitKind {
  const called = baseName(path)
  const file = baseName(resolved)
  if (file === 'systemd') return 'systemd'
  if (/^busybox(\.|$)/.test(file))
    return called === 'init' || called === 'linuxrc' ? 'busybox' : 'application'
  if (file === 'openrc-init') return 'openrc'
  if (['init', 'upstart'].includes(file)) return 'sysvinit'
  return ['tini', 'dumb-init', 'catatonit', 'docker-init'].includes(file) ? 'application' : 'unknown'
}

/** Which signals a process blocks, or waits for, and which it has handlers for. */
export interface SignalMasks {
  readonly blocked: bigint
  readonly caught: bigint
}

/** The masks in the text of `/proc/PID/status` (proc_pid_status(5)). */
export function parseSignalMasks(status: string): SignalMasks {
  const mask = (name: string) =>
    BigInt(`0x${new RegExp(`^${name}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1] ?? '0'}`)
  return { blocked: mask('SigBlk'), caught: mask('SigCgt') }
}

/**
 * The signals for an init of this kind. One of an unknown name that blocks or catches SIGPWR is a
 * system init after all: nobody else cares for power failures. (A program that catches everything, as those
 * written in Go do, says nothing by that.)
 *
 * @param masks of the running init, where it runs
 */
export function initSignals(kind: InitKind, masks?: SignalMasks): InitSignals {
  if (kind !== 'unknown' || !masks) return signals[kind]
  const power = bit(signalNumber('SIGPWR'))
  const catchesAll = (masks.caught & everything) === everything
  const waits = (masks.blocked & power) !== 0n || ((masks.caught & power) !== 0n && !catchesAll)
  return waits ? { halt: 'SIGPWR', reboot: 'SIGINT' } : signals.application
}

/** Whether a signal would reach the process: one that process 1 has no handler for is dropped (pid_namespaces(7)). */
export function isHeard(signal: string, { blocked, caught }: SignalMasks): boolean {
  return ((blocked | caught) & bit(signalNumber(signal))) !== 0n
}

const numbers: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGUSR1: 10,
  SIGUSR2: 12,
  SIGTERM: 15,
  SIGPWR: 30,
  'SIGRTMIN+3': 37,
}

/** Linux's number of one of the signals of {@link InitSignals}. */
export function signalNumber(name: string): number {
  const number = numbers[name]
  if (number === undefined) throw new TypeError(`'${name}' is not a signal that inits are sent`)
  return number
}

/** SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGTERM, SIGPWR. */
const everything = [1, 3, 10, 12, 15, 30].reduce((mask, number) => mask | bit(number), 0n)

function bit(signal: number): bigint {
  return 1n << BigInt(signal - 1)
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
