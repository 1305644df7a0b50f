import { VirError } from '@covirt/core'

/** Refuses, with `INVALID_ARG`, flags that are not among `known`. */
export function checkFlags(flags: number, known: number, what: string): void {
  const unknown = (flags & ~known) >>> 0
  if (unknown === 0) return
  throw new VirError('INVALID_ARG', `Unsupported flags (0x${unknown.toString(16)}) in ${what}`)
}

/** Whether `flags` has `flag`. */
export function hasFlag(flags: number, flag: number): boolean {
  return (flags & flag) !== 0
}
