import { attributeOf, textOf } from '../tree/nodes.js'
import type { Field } from './codec.js'
import { at } from './fields.js'
import { ValueProblem } from './path.js'
import { quote, u64 } from './scalar.js'

const powers = ['', 'k', 'm', 'g', 't', 'p', 'e']
const maxBytes = 0x7fff_ffff_ffff_ffffn

/** Where a size stands and what it is turned into. */
export interface SizePlace {
  /** The attribute of the number; without it, the number is the element's text. */
  readonly attribute?: string
  /** The attribute of the unit. */
  readonly unitAttribute?: string
  /** The unit where none is given. */
  readonly assume: 'bytes' | 'KiB'
  /** The unit of the value, in which it is also written; fractions are rounded up, as libvirt does. */
  readonly as: 'bytes' | 'KiB'
}

/** A number with a unit. Reads to bytes or KiB; more than 8 EiB is refused. */
export function size({
  attribute,
  unitAttribute = 'unit',
  assume,
  as,
}: SizePlace): Field<bigint, bigint, 'optional'> {
  const each = unitBytes(as)
  return {
    presence: 'optional',
    place: attribute === undefined ? 'text()' : `@${attribute}`,
    read(element, { path }) {
      const number = attribute === undefined ? textOf(element) : attributeOf(element, attribute)
      if (number === undefined || number === '') return undefined
      const unit = attributeOf(element, unitAttribute)
      const perUnit = at(path, unitAttribute, () => unitBytes(unit ?? assume))
      return at(path, attribute, () => (readBytes(number, perUnit, unit ?? assume) + each - 1n) / each)
    },
    write(value, old, draft, { path }) {
      if (value === old) return
      const number = value === undefined ? undefined : at(path, attribute, () => u64.write(value))
      if (value !== undefined && value * each > maxBytes)
        throw path.error(attribute, `${value} ${as} is too large`)
      draft.setAttribute(unitAttribute, number === undefined ? undefined : as)
      if (attribute === undefined) draft.setText(number)
      else draft.setAttribute(attribute, number)
    },
  }
}

/**
 * The number of bytes in one `unit`, by libvirt's rule: `b`, `byte`, `bytes`; K, M, G, T, P, E alone or with
 * `iB` count in 1024s, with `B` in 1000s; case does not matter.
 */
function unitBytes(unit: string): bigint {
  const word = unit.toLowerCase()
  if (word === 'b' || word === 'byte' || word === 'bytes') return 1n
  const power = powers.indexOf(word.charAt(0))
  const rest = word.slice(1)
  if (power > 0 && (rest === '' || rest === 'ib')) return 1024n ** BigInt(power)
  if (power > 0 && rest === 'b') return 1000n ** BigInt(power)
  throw new ValueProblem(
    `unit ${quote(unit)} is not known`,
    'Known are b, KiB, MiB, GiB, TiB, PiB, EiB, KB, MB, …',
  )
}

function readBytes(number: string, perUnit: bigint, unit: string): bigint {
  const bytes = u64.read(number) * perUnit
  if (bytes > maxBytes)
    throw new ValueProblem(`${number.trim()} ${unit} is too large`, 'At most 8 EiB is allowed.')
  return bytes
}
