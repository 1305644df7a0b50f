import { VirError } from './errors.js'

/** The greatest number of a user or group: the one above stands for none (chown(2)). */
export const maxId = 0xffff_fffe

/** Refuses what is not a whole number from `min` to `max`, with `INVALID_ARG`; with a `TypeError` what is no number. */
export function checkRange(what: string, value: number | undefined, min: number, max: number): void {
  if (value === undefined) return
  if (typeof value !== 'number') throw new TypeError(`${what} must be a number`)
  if (Number.isInteger(value) && value >= min && value <= max) return
  throw new VirError('INVALID_ARG', `${what} is ${value}, which is not from ${min} to ${max}`, {
    domain: 'DOM',
  })
}
