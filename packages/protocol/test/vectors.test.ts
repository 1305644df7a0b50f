import { decodeValue, domainMessages, encodeValue, procedures } from '@covirt/protocol'
import { describe, expect, test } from '@jest/globals'

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')
const uuid = '6695eb01-f6a4-8304-79aa-97f2502e193f'
const uuidHex = uuid.replaceAll('-', '')

/** As a real libvirtd and its clients have sent them. */
const vectors = [
  {
    name: 'the arguments of an open',
    codec: procedures.connectOpen.args,
    bytes: '00000001 0000000e 71656d753a2f2f2f73797374656d0000 00000000',
    value: { name: 'qemu:///system', flags: 0 },
  },
  {
    name: 'an answer that no authentication is needed',
    codec: procedures.authList.result,
    bytes: '00000001 00000000',
    value: { types: [0] },
  },
  {
    name: 'a state',
    codec: procedures.domainGetState.result,
    bytes: '00000001 00000001',
    value: { state: 1, reason: 1 },
  },
  {
    name: 'the information about a domain that is off',
    codec: procedures.domainGetInfo.result,
    bytes: '00000005 0000000000040000 0000000000030000 00000001 0000000000000000',
    value: { state: 5, maxMemoryKib: 0x40000n, memoryKib: 0x30000n, vcpus: 1, cpuTimeNs: 0n },
  },
  {
    name: 'a registration for life-cycle events of all domains',
    codec: procedures.connectDomainEventCallbackRegisterAny.args,
    bytes: '00000000 00000000',
    value: { eventId: 0, domain: undefined },
  },
  {
    name: 'a registration for events of one domain that is off',
    codec: procedures.connectDomainEventCallbackRegisterAny.args,
    bytes: `00000000 00000001 00000003 77656200 ${uuidHex} ffffffff`,
    value: { eventId: 0, domain: { uuid, name: 'web' } },
  },
  {
    name: 'the event that a domain has started',
    codec: domainMessages.lifecycle.body,
    bytes: `00000002 00000005 7769726531000000 ${uuidHex} 0000000d 00000002 00000000`,
    value: { callbackId: 2, domain: { uuid, name: 'wire1', id: 13 }, event: 2, detail: 0 },
  },
  {
    name: 'a question for statistics of all domains',
    codec: procedures.connectGetAllDomainStats.args,
    bytes: '00000000 0000000b 00000000',
    value: { domains: [], stats: 11, flags: 0 },
  },
]

describe.each(vectors)('$name', ({ codec, bytes, value }) => {
  test('is read', () => {
    expect(decodeValue<unknown>(codec, hex(bytes))).toEqual(value)
  })

  test('is written', () => {
    expect(encodeValue<unknown>(codec, value).toString('hex')).toBe(hex(bytes).toString('hex'))
  })
})

test('what describes the host has 188 bytes, 128 of them for the model', () => {
  const info = {
    model: 'x86_64',
    memoryKib: 1n,
    cpus: 2,
    mhz: 3,
    nodes: 1,
    sockets: 1,
    cores: 1,
    threads: 2,
  }
  // 188 with the header of 28.
  expect(encodeValue(procedures.nodeGetInfo.result, info)).toHaveLength(188 - 28)
})

test("go-libvirt's way to say that there is a name is understood", () => {
  const args = hex('01000000 00000004 61626364 00000000')
  expect(decodeValue(procedures.connectOpen.args, args)).toEqual({ name: 'abcd', flags: 0 })
})
