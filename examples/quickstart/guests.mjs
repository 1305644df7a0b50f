// The guests of the quickstart: each with its definition, and a way to get a line out of its inside.

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { createRootfs } from 'covirt'
import { askShell } from './ask-shell.mjs'
import { step } from './report.mjs'

/** A container of this machine's busybox. */
export async function containerGuest(root, signal) {
  const name = 'cell'
  const rootfs = join(root, 'rootfs')
  await mkdir(rootfs)
  const init = await step('make a busybox root file system', () =>
    createRootfs(rootfs, { template: 'busybox', name, signal }),
  )
  return {
    name,
    what: 'container',
    xml: `
      <domain type='lxc'>
        <name>${name}</name>
        <memory unit='MiB'>64</memory>
        <os><type>exe</type><init>${init}</init></os>
        <devices>
          <filesystem type='mount'><source dir='${rootfs}'/><target dir='/'/></filesystem>
          <console type='pty'/>
        </devices>
      </domain>`,
    talk: askShell,
  }
}

/** A virtual machine with a small Linux; `undefined`, having said why, where there is no kernel for it. */
export async function machineGuest() {
  const name = 'machine'
  try {
    const { kernel, initrd, cmdline } = await step('get a Linux for the virtual machine', tinyLinux)
    return {
      name,
      what: 'virtual machine',
      xml: `
        <domain type='qemu'>
          <name>${name}</name>
          <memory unit='MiB'>256</memory>
          <os>
            <type arch='x86_64' machine='q35'>hvm</type>
            <kernel>${kernel}</kernel><initrd>${initrd}</initrd><cmdline>${cmdline}</cmdline>
          </os>
          <features><acpi/></features>
          <devices><serial type='pty'/><console type='pty'/></devices>
        </domain>`,
      talk: askShell,
    }
  } catch (error) {
    console.log(`  – the virtual machine is left out: ${error.message}`)
    return undefined
  }
}

/** A pretended machine of the test driver. */
export function testGuest() {
  const name = 'pretended'
  return {
    name,
    what: 'pretended machine',
    xml: `<domain type='test'><name>${name}</name><memory unit='MiB'>64</memory><os><type>hvm</type></os></domain>`,
    talk: async (domain) => `'${name}' is ${(await domain.state()).state}, and only pretends`,
  }
}

/** Debian's kernel with busybox, as the tests use it; fetched and built once. */
async function tinyLinux() {
  const { fetchGuestPackages, hasGuestPackages } = await import('../../scripts/guest-packages.mjs')
  if (!hasGuestPackages()) fetchGuestPackages()
  await import('../../scripts/typescript.mjs')
  const { LINUX_GUEST_CMDLINE, linuxGuest } = await import('../../test/fixtures/linux-guest.ts')
  return { ...(await linuxGuest()), cmdline: LINUX_GUEST_CMDLINE }
}
