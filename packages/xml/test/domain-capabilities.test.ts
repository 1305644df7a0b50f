import { describe, expect, test } from '@jest/globals'
import { domainCapabilitiesOf, formatCapabilities } from '../src/index.js'

const host = formatCapabilities({
  guests: [
    {
      osType: 'exe',
      arch: { name: 'x86_64', machines: [{ name: 'lxc' }], domains: [{ type: 'lxc' }] },
    },
    {
      osType: 'hvm',
      arch: {
        name: 'x86_64',
        emulator: '/usr/bin/qemu',
        machines: [{ name: 'pc', canonical: 'pc-7.2', maxCpus: 255 }, { name: 'q35' }],
        domains: [{ type: 'qemu' }, { type: 'kvm', emulator: '/usr/bin/kvm', machines: [{ name: 'pc' }] }],
      },
    },
  ],
})

describe('what guests of one kind can have', () => {
  test.each([
    ['virtual machines with KVM, where it is not said which', {}, '/usr/bin/kvm', 'kvm', 'pc', undefined],
    ['those of one type', { type: 'qemu' }, '/usr/bin/qemu', 'qemu', 'pc-7.2', 255],
    ['those on one machine', { machine: 'q35' }, '/usr/bin/qemu', 'qemu', 'q35', undefined],
    ['those of one program', { emulator: '/usr/bin/qemu' }, '/usr/bin/qemu', 'qemu', 'pc-7.2', 255],
    ['containers', { machine: 'lxc', arch: 'x86_64' }, undefined, 'lxc', 'lxc', undefined],
  ])('is told of %s', (_what, kind, path, domain, machine, max) => {
    const xml = domainCapabilitiesOf(host, kind)
    expect(/<path>(.*)<\/path>/.exec(xml)?.[1]).toBe(path)
    expect(/<domain>(.*)<\/domain>/.exec(xml)?.[1]).toBe(domain)
    expect(/<machine>(.*)<\/machine>/.exec(xml)?.[1]).toBe(machine)
    expect(/<vcpu max=['"](\d+)['"]/.exec(xml)?.[1]).toBe(max?.toString())
  })

  test('is told of none that there is not', () => {
    expect(() => domainCapabilitiesOf(host, { arch: 'i686', type: 'kvm' })).toThrow(
      "There are no guests here with arch 'i686', type 'kvm'",
    )
  })
})
