import { describe, expect, test } from '@jest/globals'
import {
  cloneDomain,
  type DiskXml,
  type DomainXml,
  formatDomain,
  metadataElement,
  newElement,
  parseDomain,
  plain,
  withMetadata,
} from '../src/index.js'
import { documentText } from './documents.js'

function domainWith(inside: string): DomainXml {
  return parseDomain(`<domain type='kvm'>\n  <name>n</name>\n${inside}</domain>\n`)
}

function domainOf(inside: string): string {
  return `<domain type='kvm'>\n  <name>n</name>\n${inside}</domain>\n`
}

const disks = domainOf(`  <devices>
    <!-- the system -->
    <disk type='file' io='1'>
      <source file='/a'><seclabel relabel='no'/></source>
      <target dev='vda'/>
      <tag a='1'/>
    </disk>
    <bird/>
    <disk type='file'>
      <target dev='vdb'/>
      <tag b='1'/>
    </disk>
  </devices>
`)

function editDisks(edit: (disks: readonly DiskXml[]) => readonly DiskXml[]): string {
  const domain = parseDomain(disks)
  return formatDomain({ ...domain, devices: { ...domain.devices, disks: edit(domain.devices.disks) } })
}

describe('a changed value', () => {
  test('changes its text and nothing else', () => {
    const text = documentText('q35-full')
    const domain = parseDomain(text)
    const expected = text.replace('<name>desktop</name>', '<name>laptop</name>')
    expect(formatDomain({ ...domain, name: 'laptop' })).toBe(expected)
  })

  test('changes its attribute and nothing else', () => {
    const domain = parseDomain(documentText('q35-full'))
    const expected = documentText('q35-full').replace("id='12'", "id='13'")
    expect(formatDomain({ ...domain, id: 13 })).toBe(expected)
  })

  test('keeps the spelling of what is said differently but means the same', () => {
    const text = documentText('q35-full')
    const domain = parseDomain(text)
    expect(formatDomain({ ...domain, uuid: 'c7a5fdbd-edaf-9455-926a-d65c16db1809' })).toBe(text)
  })

  test('is written in its own unit and keeps foreign attributes of its element', () => {
    const text = documentText('q35-full')
    const domain = parseDomain(text)
    const expected = text.replace(
      "<memory unit='KiB' dumpCore='off'>8388608</memory>",
      "<memory unit='KiB' dumpCore='off'>1</memory>",
    )
    expect(formatDomain({ ...domain, memoryKib: 1n })).toBe(expected)
  })

  test('replaces a unit that it is not in', () => {
    const domain = domainWith("  <memory unit='GiB'>1</memory>\n")
    expect(formatDomain({ ...domain, memoryKib: 7n })).toBe(domainOf("  <memory unit='KiB'>7</memory>\n"))
  })

  test('is escaped', () => {
    const domain = domainWith('')
    expect(formatDomain({ ...domain, title: 'a & b < "c"\r' })).toBe(
      domainOf('  <title>a &amp; b &lt; "c"&#13;</title>\n'),
    )
  })

  test('keeps a comment beside the text', () => {
    const domain = domainWith('  <title>old<!-- why --></title>\n')
    expect(formatDomain({ ...domain, title: 'new' })).toBe(domainOf('  <title>new<!-- why --></title>\n'))
  })

  test('in place of an element that was built elsewhere keeps the foreign parts there', () => {
    const domain = domainWith("  <vcpu future='1' current='1'>2</vcpu>\n")
    expect(formatDomain({ ...domain, vcpu: { count: 4 } })).toBe(domainOf("  <vcpu future='1'>4</vcpu>\n"))
  })
})

describe('a removed value', () => {
  test('goes with the line it stood on', () => {
    const domain = domainWith('  <title>t</title>\n  <x/>\n')
    expect(formatDomain({ ...domain, title: undefined })).toBe(domainOf('  <x/>\n'))
  })

  test('leaves its element closed in itself when it was the last', () => {
    const domain = domainWith('  <features>\n    <acpi/>\n  </features>\n')
    expect(formatDomain({ ...domain, features: { ...domain.features, acpi: false } })).toBe(
      domainOf('  <features/>\n'),
    )
  })

  test('of an attribute leaves the other attributes as they were', () => {
    const domain = domainWith('  <vcpu a="1"   current="1" b="2">2</vcpu>\n')
    expect(formatDomain({ ...domain, vcpu: { ...domain.vcpu, current: undefined } })).toBe(
      domainOf("  <vcpu a='1' b='2'>2</vcpu>\n"),
    )
  })
})

describe('an added value', () => {
  test('stands where libvirt would put it', () => {
    const domain = domainWith('  <x/>\n  <memory>1</memory>\n  <devices/>\n')
    expect(formatDomain({ ...domain, title: 't', onCrash: 'destroy' })).toBe(
      domainOf(
        '  <title>t</title>\n  <x/>\n  <memory>1</memory>\n  <on_crash>destroy</on_crash>\n  <devices/>\n',
      ),
    )
  })

  test('takes over the indentation of the document', () => {
    const domain = parseDomain("<domain type='kvm'>\n\t<name>n</name>\n</domain>")
    expect(formatDomain({ ...domain, vcpu: { count: 2 }, os: { type: { type: 'hvm' } } })).toBe(
      "<domain type='kvm'>\n\t<name>n</name>\n\t<vcpu>2</vcpu>\n\t<os>\n\t  <type>hvm</type>\n\t</os>\n</domain>",
    )
  })

  test('brings its container where the document has none', () => {
    const domain = domainWith('')
    expect(formatDomain({ ...domain, devices: { ...domain.devices, emulator: '/q' } })).toBe(
      domainOf('  <devices>\n    <emulator>/q</emulator>\n  </devices>\n'),
    )
  })

  test('brings no white space into a dense document', () => {
    const domain = parseDomain("<domain type='kvm'><name>n</name></domain>")
    expect(formatDomain({ ...domain, os: { type: { type: 'hvm' } } })).toBe(
      "<domain type='kvm'><name>n</name><os><type>hvm</type></os></domain>",
    )
  })

  test('opens an element that was closed in itself', () => {
    const domain = domainWith("  <features a='1' />\n")
    expect(formatDomain({ ...domain, features: { ...domain.features, acpi: true } })).toBe(
      domainOf("  <features a='1'>\n    <acpi/>\n  </features>\n"),
    )
  })

  test('goes before what comes later, when nothing comes earlier', () => {
    const domain = domainWith("  <os>\n    <boot dev='hd'/>\n  </os>\n")
    expect(formatDomain({ ...domain, os: { ...domain.os, type: { type: 'hvm' } } })).toBe(
      domainOf("  <os>\n    <type>hvm</type>\n    <boot dev='hd'/>\n  </os>\n"),
    )
  })
})

describe('a list', () => {
  test('keeps with each element what is not declared when one is changed', () => {
    const edited = editDisks(([first, ...rest]) => (first ? [{ ...first, readonly: true }, ...rest] : rest))
    expect(edited).toBe(disks.replace("<target dev='vda'/>", "<target dev='vda'/>\n      <readonly/>"))
  })

  test('keeps it when an element is removed', () => {
    expect(editDisks((all) => all.slice(1))).toBe(
      disks.replace(/\n {4}<disk type='file' io='1'>.*?<\/disk>/s, ''),
    )
  })

  test('keeps it when the elements are reordered', () => {
    const [first = '', second = ''] = disks.match(/<disk.*?<\/disk>/gs) ?? []
    expect(editDisks((all) => all.toReversed())).toBe(
      disks.replace(first, '#').replace(second, first).replace('#', second),
    )
  })

  test('takes a new element at its end, after the last of its kind', () => {
    const added = "\n    <disk type='file'>\n      <target dev='vdc'/>\n    </disk>"
    expect(editDisks((all) => [...all, { type: 'file', target: { dev: 'vdc' } }])).toBe(
      disks.replace(/(<tag b='1'\/>\n {4}<\/disk>)/, `$1${added}`),
    )
  })

  test('takes a new element at its start', () => {
    const added = "<disk type='file'>\n      <target dev='vdc'/>\n    </disk>\n    "
    expect(editDisks((all) => [{ type: 'file', target: { dev: 'vdc' } }, ...all])).toBe(
      disks.replace("<disk type='file' io='1'>", `${added}<disk type='file' io='1'>`),
    )
  })

  test('takes a new element between two, after the first of them', () => {
    const added = "\n    <disk type='file'>\n      <target dev='vdc'/>\n    </disk>"
    expect(editDisks(([a, b]) => (a && b ? [a, { type: 'file', target: { dev: 'vdc' } }, b] : []))).toBe(
      disks.replace(/(<tag a='1'\/>\n {4}<\/disk>)/, `$1${added}`),
    )
  })

  test('of plain values changes the one that is different in its place', () => {
    const os = "  <os>\n    <initarg>a</initarg>\n    <!-- c -->\n    <initarg x='1'>b</initarg>\n  </os>\n"
    const domain = domainWith(os)
    expect(formatDomain({ ...domain, os: { ...domain.os, initArgs: ['a', 'B'] } })).toBe(
      domainOf(os.replace('>b<', '>B<')),
    )
  })

  test('of plain values keeps the equal ones when one is removed', () => {
    const os = "  <os>\n    <initarg>a</initarg>\n    <initarg x='1'>b</initarg>\n  </os>\n"
    const domain = domainWith(os)
    expect(formatDomain({ ...domain, os: { ...domain.os, initArgs: ['b'] } })).toBe(
      domainOf(os.replace('    <initarg>a</initarg>\n', '')),
    )
  })

  test('with the same element twice writes it twice', () => {
    expect(editDisks(([a]) => (a ? [a, a] : [])).match(/<tag a='1'\/>/g)).toHaveLength(2)
  })
})

describe('a changed kind', () => {
  test('leaves nothing behind that only the former kind declared', () => {
    const edited = editDisks(([a, ...rest]) =>
      a ? [{ ...a, type: 'block', source: { dev: '/dev/x' } }, ...rest] : rest,
    )
    expect(edited).toBe(
      disks
        .replace("type='file' io", "type='block' io")
        .replace("<source file='/a'><seclabel relabel='no'/></source>", "<source dev='/dev/x'/>"),
    )
  })

  test('from an undeclared to a declared one keeps the foreign parts', () => {
    const domain = domainWith(
      "  <devices>\n    <disk type='q' f='7'>\n      <target dev='a'/>\n    </disk>\n  </devices>\n",
    )
    const [disk] = domain.devices.disks
    const changed: DiskXml[] = disk === undefined ? [] : [{ ...disk, type: 'dir', source: { dir: '/d' } }]
    expect(formatDomain({ ...domain, devices: { ...domain.devices, disks: changed } })).toContain(
      "<disk f='7' type='dir'>\n      <source dir='/d'/>\n      <target dev='a'/>",
    )
  })
})

test('an undeclared kind is read as such and its word is kept', () => {
  const [disk] = parseDomain(documentText('future')).devices.disks
  expect(disk).toMatchObject({ type: 'other', otherType: 'crystal', target: { dev: 'cra' } })
})

test('a missing kind reads as the one that libvirt takes, and is not written', () => {
  const text = domainOf("  <devices>\n    <disk>\n      <target dev='a'/>\n    </disk>\n  </devices>\n")
  const domain = parseDomain(text)
  expect(domain.devices.disks[0]?.type).toBe('file')
  expect(
    formatDomain({
      ...domain,
      devices: { ...domain.devices, disks: domain.devices.disks.map((d) => ({ ...d })) },
    }),
  ).toBe(text)
})

test('a device that moves to another domain takes along what is not declared', () => {
  const from = parseDomain(disks)
  const to = parseDomain("<domain type='kvm'>\n  <name>m</name>\n  <devices/>\n</domain>\n")
  const moved = formatDomain({ ...to, devices: { ...to.devices, disks: from.devices.disks.slice(0, 1) } })
  expect(moved).toContain("<tag a='1'/>")
})

test('a clone keeps what is not declared', () => {
  expect(formatDomain(cloneDomain(parseDomain(disks)))).toBe(disks)
})

test('a value cannot be changed in place', () => {
  const domain = parseDomain(disks) as { name: string }
  expect(() => {
    domain.name = 'x'
  }).toThrow(TypeError)
})

test('the memory of a document shows neither in JSON nor among the keys', () => {
  const vcpu = domainWith('  <vcpu>2</vcpu>\n').vcpu
  expect(JSON.stringify(vcpu)).toBe('{"count":2}')
  expect(Object.keys(vcpu ?? {})).toEqual(['count'])
})

test('a plain value has no memory of a document', () => {
  expect(plain(domainWith('  <vcpu>2</vcpu>\n').vcpu)).toStrictEqual({ count: 2 })
})

test('a domain made from values alone is laid out as libvirt lays it out', () => {
  const text = formatDomain({
    type: 'lxc',
    name: 'web',
    memoryKib: 262144n,
    os: { type: { type: 'exe' }, init: '/sbin/init', initArgs: ['-x'] },
    features: { capabilities: { policy: 'default', sysTime: false } },
    devices: { filesystems: [{ type: 'mount', source: { dir: '/srv' }, target: '/', readonly: true }] },
  })
  expect(text).toBe(`<domain type='lxc'>
  <name>web</name>
  <memory unit='KiB'>262144</memory>
  <os>
    <type>exe</type>
    <init>/sbin/init</init>
    <initarg>-x</initarg>
  </os>
  <features>
    <capabilities policy='default'>
      <sys_time state='off'/>
    </capabilities>
  </features>
  <devices>
    <filesystem type='mount'>
      <source dir='/srv'/>
      <target dir='/'/>
      <readonly/>
    </filesystem>
  </devices>
</domain>
`)
})

describe('metadata', () => {
  const lifecycle = 'urn:covirt:lifecycle:1'
  const element = newElement('l:start', { 'xmlns:l': lifecycle, order: '7' })

  test('is found by its namespace, whatever its prefix', () => {
    const domain = parseDomain(documentText('virt-manager'))
    expect(metadataElement(domain, 'https://wiki.gnome.org/Apps/Boxes')?.name).toBe('boxes:gnome-boxes')
  })

  test('is found where the namespace is declared further up', () => {
    expect(metadataElement(parseDomain(documentText('microvm')), lifecycle)?.name).toBe('l:start')
  })

  test('of a namespace that is not there is undefined', () => {
    expect(metadataElement(parseDomain(documentText('virt-manager')), lifecycle)).toBeUndefined()
  })

  test('is added beside the others, which stay as they are', () => {
    const text = documentText('virt-manager')
    const added = `\n    <l:start xmlns:l='${lifecycle}' order='7'/>\n  </metadata>`
    expect(formatDomain(withMetadata(parseDomain(text), lifecycle, element))).toBe(
      text.replace('\n  </metadata>', added),
    )
  })

  test('makes its container where there is none', () => {
    expect(formatDomain(withMetadata(domainWith(''), lifecycle, element))).toBe(
      domainOf(`  <metadata>\n    <l:start xmlns:l='${lifecycle}' order='7'/>\n  </metadata>\n`),
    )
  })

  test('is replaced in its place', () => {
    const text = documentText('microvm')
    expect(formatDomain(withMetadata(parseDomain(text), lifecycle, element))).toBe(
      text.replace("<l:start order='5'/>", `<l:start xmlns:l='${lifecycle}' order='7'/>`),
    )
  })

  test('is removed, with its container when that is empty then', () => {
    const domain = withMetadata(domainWith(''), lifecycle, element)
    expect(formatDomain(withMetadata(domain, lifecycle))).toBe(domainOf(''))
  })

  test('that does not declare its namespace is refused', () => {
    expect(() => withMetadata(domainWith(''), lifecycle, newElement('l:start'))).toThrow(TypeError)
  })
})

test('an empty argument of an init is an argument', () => {
  const xml = "<domain type='lxc'><name>a</name><os><initarg></initarg><initarg>b</initarg></os></domain>"
  const domain = parseDomain(xml)
  expect(domain.os.initArgs).toEqual(['', 'b'])
  expect(formatDomain({ ...domain, os: { ...domain.os, initArgs: ['', '', 'b'] } })).toContain(
    '<initarg></initarg>',
  )
  expect(formatDomain(domain)).toBe(xml)
})
