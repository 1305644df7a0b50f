import { ValueProblem } from './path.js'

/** How one text (an attribute's value or an element's text) becomes a value and back. */
export interface Scalar<T> {
  /** Throws {@link ValueProblem} for a text that is no such value. */
  read(text: string): T
  /** Throws {@link ValueProblem} for a value that the text form cannot carry. */
  write(value: T): string
}

/** Any text, verbatim. */
export const string: Scalar<string> = { read: (text) => text, write: (value) => checkString(value) }

/** `yes` and `no`. */
export const yesNo: Scalar<boolean> = words('yes', 'no')

/** `on` and `off`. */
export const onOff: Scalar<boolean> = words('on', 'off')

/** One of these words and no other. */
export function oneOf<const T extends string>(...allowed: readonly T[]): Scalar<T> {
  const known: ReadonlySet<string> = new Set(allowed)
  const check = (text: string): T => {
    if (known.has(text)) return text as T
    throw new ValueProblem(`${quote(text)} is not known`, `Known are: ${allowed.join(', ')}.`)
  }
  return { read: (text) => check(text.trim()), write: check }
}

/** These words, or one that a newer libvirt may have added; TypeScript still completes the known ones. */
export function openSet<const T extends string>(..._known: readonly T[]): Scalar<T | (string & {})> {
  return { read: (text) => text.trim(), write: checkString }
}

/** A whole number that JavaScript holds exactly, `min` to `max`. */
export function integer(min: number, max: number): Scalar<number> {
  const check = (value: number, text: string): number => {
    if (value >= min && value <= max) return value
    throw new ValueProblem(`${text} is out of range`, `Allowed is ${min} to ${max}.`)
  }
  return {
    read: (text) => check(Number(digits(text)), text.trim()),
    write: (value) => {
      if (!Number.isSafeInteger(value)) throw new TypeError(`${String(value)} is not a whole number`)
      return String(check(value, String(value)))
    },
  }
}

/** A whole number, 0 to 2³²-1. */
export const u32: Scalar<number> = integer(0, 0xffff_ffff)

/** A whole number, -2³¹ to 2³¹-1. */
export const i32: Scalar<number> = integer(-0x8000_0000, 0x7fff_ffff)

/** A TCP or UDP port; -1 stands for "choose one" where libvirt allows it. */
export const port: Scalar<number> = integer(-1, 0xffff)

/** A whole number of 64 bits. */
export function bigInteger(min: bigint, max: bigint): Scalar<bigint> {
  const check = (value: bigint): bigint => {
    if (value >= min && value <= max) return value
    throw new ValueProblem(`${value} is out of range`, `Allowed is ${min} to ${max}.`)
  }
  return {
    // More than 20 digits cannot be in range; BigInt() of a million of them takes seconds.
    read: (text) => {
      const plain = digits(text)
      if (plain.length > 40) throw new ValueProblem(`a number of ${plain.length} digits is out of range`)
      return check(BigInt(plain))
    },
    write: (value) => {
      if (typeof value !== 'bigint') throw new TypeError(`${String(value)} is not a bigint`)
      return String(check(value))
    },
  }
}

/** A whole number, 0 to 2⁶⁴-1. */
export const u64: Scalar<bigint> = bigInteger(0n, 0xffff_ffff_ffff_ffffn)

/** A whole number, -2⁶³ to 2⁶³-1. */
export const i64: Scalar<bigint> = bigInteger(-0x8000_0000_0000_0000n, 0x7fff_ffff_ffff_ffffn)

/** A number that libvirt writes in hexadecimal with `0x` and reads in both; `width` digits are written. */
export function hex(width: number, max: number): Scalar<number> {
  return {
    read: (text) => {
      const plain = text.trim()
      const value = /^(0x[0-9a-f]{1,8}|[0-9]{1,10})$/i.test(plain) ? Number(plain) : Number.NaN
      if (value >= 0 && value <= max) return value
      throw new ValueProblem(`${quote(plain)} is not a number from 0 to 0x${max.toString(16)}`)
    },
    write: (value) => {
      if (!Number.isSafeInteger(value)) throw new TypeError(`${String(value)} is not a whole number`)
      if (value < 0 || value > max) throw new ValueProblem(`${value} is not from 0 to 0x${max.toString(16)}`)
      return `0x${value.toString(16).padStart(width, '0')}`
    },
  }
}

/** A UUID, lower-case with dashes; read as libvirt does, which also takes it without dashes or in upper case. */
export const uuid: Scalar<string> = {
  read: readUuid,
  write: (value) => readUuid(checkString(value)),
}

/** A MAC address, six lower-case pairs with colons. */
export const macAddress: Scalar<string> = { read: readMac, write: (value) => readMac(checkString(value)) }

function readUuid(text: string): string {
  const plain = text.trim().toLowerCase()
  const bare = plain.replace(/-/g, '')
  if (!/^[0-9a-f]{32}$/.test(bare) || plain.startsWith('-') || plain.endsWith('-')) {
    throw new ValueProblem(`${quote(plain)} is not a UUID`, 'Write it as 8-4-4-4-12 hexadecimal digits.')
  }
  return bare.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

function readMac(text: string): string {
  const pairs = text.trim().toLowerCase().split(':')
  if (pairs.length !== 6 || !pairs.every((pair) => /^[0-9a-f]{1,2}$/.test(pair))) {
    throw new ValueProblem(`${quote(text.trim())} is not a MAC address`, 'Write it as 52:54:00:12:34:56.')
  }
  return pairs.map((pair) => pair.padStart(2, '0')).join(':')
}

function words(yes: string, no: string): Scalar<boolean> {
  return {
    read: (text) => {
      const word = text.trim()
      if (word === yes || word === no) return word === yes
      throw new ValueProblem(`${quote(word)} is neither ${yes} nor ${no}`)
    },
    write: (value) => {
      if (typeof value !== 'boolean') throw new TypeError(`${String(value)} is not a boolean`)
      return value ? yes : no
    },
  }
}

function digits(text: string): string {
  const plain = text.trim()
  if (/^[+-]?[0-9]+$/.test(plain)) return plain.startsWith('+') ? plain.slice(1) : plain
  throw new ValueProblem(plain === '' ? 'a number is missing' : `${quote(plain)} is not a whole number`)
}

function checkString(value: string): string {
  if (typeof value === 'string') return value
  throw new TypeError(`${String(value)} is not a string`)
}

/** A text for a message: quoted, and cut where it is long. */
export function quote(text: string): string {
  return text.length > 60 ? `'${text.slice(0, 60)}…'` : `'${text}'`
}
