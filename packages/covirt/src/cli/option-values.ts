import { unlimitedMemoryKib } from '@covirt/core'
import { InvalidArgumentError } from 'commander'

/** Reads a number of seconds, such as `10` or `0.5`. */
export function parseSeconds(text: string): number {
  const seconds = Number(text)
  if (text.trim() === '' || !Number.isFinite(seconds) || seconds < 0 || seconds > 2_000_000) {
    throw new InvalidArgumentError('It must be a number of seconds.')
  }
  return seconds
}

const unitKib = { '': 1, k: 1, m: 1024, g: 1024 ** 2, t: 1024 ** 3 } as const

/** Reads a size such as `512M` or `1G` into KiB; a number alone is KiB, as in libvirt's XML. */
export function parseMemoryKib(text: string): number {
  const match = /^([0-9]{1,12})\s*([kmgt]?)(?:i?b)?$/i.exec(text)
  const kib = match ? Number(match[1]) * unitKib[(match[2] ?? '').toLowerCase() as keyof typeof unitKib] : 0
  if (kib <= 0 || !Number.isSafeInteger(kib)) {
    throw new InvalidArgumentError('It must be a size such as 512M or 1G.')
  }
  return kib
}

/** Reads how many times, from 1. */
export function parseCount(text: string): number {
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw new InvalidArgumentError('It must be a number from 1.')
  return Number(text)
}

/** Reads the number of a user or of a group. */
export function parseId(text: string): number {
  if (!/^[0-9]{1,10}$/.test(text) || Number(text) > 0xffff_fffe) {
    throw new InvalidArgumentError('It must be the number of a user or of a group.')
  }
  return Number(text)
}

/** Reads a whole number, also a negative one. */
export function parseInteger(text: string): bigint {
  if (!/^-?[0-9]{1,18}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.')
  return BigInt(text)
}

/** As {@link parseMemoryKib}; `unlimited` and `-1` are no limit. */
export function parseMemoryLimitKib(text: string): bigint {
  return text === '-1' || text === 'unlimited' ? unlimitedMemoryKib : BigInt(parseMemoryKib(text))
}

/** Reads `PATH,VALUE,PATH,VALUE`. */
export function parseDeviceLimits(text: string): readonly (readonly [path: string, value: bigint])[] {
  const words = text.split(',')
  const limits = Array.from({ length: words.length / 2 }, (_, index): [string, string] => [
    words[2 * index] ?? '',
    words[2 * index + 1] ?? '',
  ])
  const isList =
    words.length % 2 === 0 &&
    limits.every(([path, value]) => path.startsWith('/') && /^[0-9]{1,18}$/.test(value))
  if (!isList) throw new InvalidArgumentError('It must be a list such as /dev/sda,1000,/dev/sdb,500.')
  return limits.map(([path, value]) => [path, BigInt(value)])
}
