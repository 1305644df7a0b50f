import {
  encodeFrame,
  encodeValue,
  type FrameHeader,
  frameStatuses,
  frameTypes,
  type Procedure,
  procedures,
  XdrWriter,
} from '@covirt/protocol'

/** Numbers below 2^32 that follow from their seed (xorshift32). */
export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0 || 1
  }

  /** Below `bound`. */
  below(bound: number): number {
    this.#state ^= this.#state << 13
    this.#state ^= this.#state >>> 17
    this.#state ^= this.#state << 5
    return (this.#state >>> 0) % bound
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)))
  }
}

const uuid = '6695eb01-f6a4-8304-79aa-97f2502e193f'
const domains = [
  { name: 'test', uuid },
  { name: 'test', uuid, id: 1 },
  { name: 'gone', uuid: '00000000-0000-0000-0000-000000000000' },
]
const texts = [
  'test',
  '',
  'test:///default',
  '<domain/>',
  '<domain type="test"><name>a</name></domain>',
  '{}',
  '\u00e4/..',
]

/** All but the one that ends the connection. */
const callable: readonly Procedure[] = Object.values(procedures).filter(
  ({ name }: Procedure) => name !== 'CONNECT_CLOSE',
)

/**
 * A call with a header that can be answered and arguments that are right, nearly right, or anything. No call that
 * waits for somebody: an agent may be given as long as ten minutes.
 */
export function randomCall(random: Random, serial: number): Buffer {
  const { program, number } = random.pick(callable)
  const odd = random.below(20) === 0
  return encodeFrame(
    {
      program: odd ? random.below(0xffff_ffff) : program.number,
      version: odd ? random.below(3) : 1,
      procedure: random.below(30) === 0 ? 3 + random.below(1000) : number,
      type: frameTypes.call,
      serial,
      status: random.below(50) === 0 ? random.below(4) : frameStatuses.ok,
    },
    mutated(random, randomArguments(random)),
  )
}

/** A packet that is answered to nobody: of a stream that there is not, a reply, a message, a sign of life. */
export function randomNoise(random: Random): Buffer {
  const header: FrameHeader = {
    program: random.pick([0x2000_8086, 0x6b65_6570, 0x20c0_0001, random.below(0xffff_ffff)]),
    version: random.below(3),
    procedure: random.below(450),
    type: random.pick([frameTypes.reply, frameTypes.message, frameTypes.stream, frameTypes.streamHole]),
    serial: random.below(1000),
    status: random.below(4),
  }
  return encodeFrame(header, random.bytes(random.below(40)))
}

/** Bytes that may be packets: whole, cut, with bytes changed, or nothing of that kind. */
export function randomBytes(random: Random): Buffer {
  const packets = Buffer.concat(
    Array.from({ length: 1 + random.below(4) }, (_, serial) =>
      random.below(3) === 0 ? randomNoise(random) : randomCall(random, serial),
    ),
  )
  switch (random.below(4)) {
    case 0:
      return random.bytes(random.below(200))
    case 1:
      return packets.subarray(0, random.below(packets.length))
    case 2: {
      const changed = Buffer.from(packets)
      for (let count = 1 + random.below(8); count > 0; count--)
        changed[random.below(changed.length)] = random.below(256)
      return changed
    }
    default:
      return packets
  }
}

function randomArguments(random: Random): Buffer {
  const writer = new XdrWriter()
  for (let words = random.below(6); words > 0; words--) {
    switch (random.below(6)) {
      case 0:
        writer.raw(encodeValue(procedures.domainCreate.args, { domain: random.pick(domains) }))
        break
      case 1:
        writer.text(random.pick(texts), 1000)
        break
      case 2:
        writer.uint32(random.pick([0, 1, 2, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]))
        break
      case 3:
        writer.uint32(random.below(100))
        break
      case 4:
        writer.raw(random.bytes(4 * random.below(4)))
        break
      default:
        writer.uint64(BigInt(random.below(0xffff_ffff)))
    }
  }
  return writer.finish()
}

function mutated(random: Random, bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes)
  if (copy.length === 0 || random.below(2) === 0) return copy
  copy[random.below(copy.length)] = random.below(256)
  return random.below(4) === 0 ? copy.subarray(0, random.below(copy.length)) : copy
}
