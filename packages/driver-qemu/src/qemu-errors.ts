import { type ErrorCode, isVirError, messageOf, VirError } from '@covirt/core'
import type { ProcessEnd } from './process/qemu-process.js'
import { QmpClosedError, QmpError } from './qmp/qmp-error.js'

interface Symptom {
  readonly pattern: RegExp
  readonly code: ErrorCode
  readonly hint: string
}

/** What QEMU 7 to 10 says, on stderr or over QMP, where a person can mend it. */
const symptoms: readonly Symptom[] = [
  {
    pattern: /Failed to get "[^"]+" lock|Failed to lock byte|Is another process using the image/,
    code: 'RESOURCE_BUSY',
    hint: 'Another process uses this disk: stop it, or give this domain a disk of its own',
  },
  {
    pattern:
      /Could not access KVM kernel module|failed to initialize kvm|KVM is not supported|invalid accelerator kvm/i,
    code: 'CONFIG_UNSUPPORTED',
    hint: "There is no usable KVM here: use <domain type='qemu'>, or load the kvm module and grant access to /dev/kvm",
  },
  {
    pattern: /Address already in use|Failed to find an available port/,
    code: 'RESOURCE_BUSY',
    hint: 'Another process listens there: choose another port or socket',
  },
  {
    pattern: /cannot set up guest memory|Cannot allocate memory|unable to allocate memory/i,
    code: 'NO_MEMORY',
    hint: 'The host has not that much memory free: lower <memory>',
  },
  {
    pattern: /Image is not in \w+ format|Unknown driver|not a valid \w+ image/i,
    code: 'OPERATION_FAILED',
    hint: "The image has another format than <driver type=…> says; 'qemu-img info' tells which",
  },
  {
    pattern: /Could not open backing file/,
    code: 'OPERATION_FAILED',
    hint: "A file that the image is based on is missing; 'qemu-img info --backing-chain' shows them",
  },
  {
    pattern:
      /Could not open '|could not load kernel|could not load initrd|could not load initial ram|could not load PC BIOS|No such file or directory/i,
    code: 'OPERATION_FAILED',
    hint: 'Does the file exist, and may QEMU read and write it?',
  },
  {
    pattern: /unsupported machine type/i,
    code: 'CONFIG_UNSUPPORTED',
    hint: 'This QEMU lacks the machine; the capabilities list those that it has',
  },
  {
    pattern: /unable to find CPU model|Property '.*-cpu\..*' not found/i,
    code: 'CONFIG_UNSUPPORTED',
    hint: 'This QEMU does not know the processor or one of its features: see <cpu>',
  },
  {
    pattern: /is not a valid device model name|'type' \w+ is not supported|failed to find romfile/i,
    code: 'CONFIG_UNSUPPORTED',
    hint: 'This QEMU was built or packaged without it: is there a package to add?',
  },
  {
    pattern: /could not configure \/dev\/net\/tun|could not open \/dev\/net\/tun/i,
    code: 'OPERATION_DENIED',
    hint: "Bridged interfaces are for root, and need /dev/net/tun; <interface type='user'> needs neither",
  },
]

/**
 * Turns QEMU's own words into a typed error: the one place where stderr and QMP are judged. `doing` says what
 * failed; `lines` are quoted and are the cause.
 */
export function fromWords(doing: string, lines: readonly string[]): VirError {
  const words = lines.map((line) => line.replace(/^\S*qemu-\S+: /, ''))
  const symptom = symptoms.find(({ pattern }) => words.some((line) => pattern.test(line)))
  return new VirError(symptom?.code ?? 'OPERATION_FAILED', `${doing}: ${words.join('; ')}`, {
    domain: 'QEMU',
    cause: lines,
    ...(symptom && { hint: symptom.hint }),
  })
}

/** The error for a QEMU that ended while `doing`; `lines` are what it said last. */
export function fromEarlyEnd(doing: string, end: ProcessEnd, lines: readonly string[]): VirError {
  return fromWords(doing, lines.length > 0 ? lines : [`QEMU ended without a word (${describeEnd(end)})`])
}

/** Turns what a QMP command rejected with into a {@link VirError}; one stays as it is. */
export function fromQmp(doing: string, error: unknown): VirError {
  if (isVirError(error)) return error
  if (error instanceof QmpError) {
    const { code, message, hint } = fromWords(doing, [error.message])
    return new VirError(code, message, { domain: 'QEMU', cause: error, ...(hint !== undefined && { hint }) })
  }
  if (error instanceof QmpClosedError)
    return new VirError('OPERATION_FAILED', `${doing}: the guest has gone`, { domain: 'QEMU', cause: error })
  return new VirError('INTERNAL_ERROR', `${doing}: ${messageOf(error)}`, { domain: 'QEMU', cause: error })
}

/** The error for a program that cannot be run. */
export function fromSpawn(program: string, error: unknown): VirError {
  const code = (error as NodeJS.ErrnoException).code
  const missing = code === 'ENOENT'
  const message = missing
    ? `QEMU is not installed: there is no '${program}'`
    : `'${program}' cannot be run: ${messageOf(error)}`
  const hint = 'On Debian and Ubuntu: apt install qemu-system-x86; or name the program in <devices><emulator>'
  return new VirError('OPERATION_FAILED', message, { domain: 'QEMU', cause: error, ...(missing && { hint }) })
}

/** How a process ended, for people. */
export function describeEnd({ code, signal }: ProcessEnd): string {
  if (signal !== undefined) return `killed by ${signal}`
  return code === undefined ? 'it is not known how' : `exit status ${code}`
}
