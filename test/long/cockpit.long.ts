import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from '@jest/globals'
import { open } from 'covirt'
import { guestPair, startPair } from '../../packages/daemon/test/guest-pair.js'
import { canRunLxc, canRunQemu, canRunVirsh, describeWhen } from '../fixtures/index.js'
import { canRunCockpit, cockpitBrowser, cockpitUrl } from '../support/cockpit-browser.js'

/** The document of Cockpit's page for virtual machines, which is a frame in its shell. */
const machines = `[...document.querySelectorAll('iframe')].find(({ name }) => name.endsWith('/machines'))?.contentDocument`
const within = (rest: string) => `(${machines})?.${rest}`
/** What is shown there, line by line. */
const shown = within('body?.innerText.split(/\\s*[\\n\\t]\\s*/)')
/** Clicks on the first element there that a selector of CSS finds. */
const clickOn = (selector: string) =>
  within(`querySelector(${JSON.stringify(selector)})?.click() === undefined`)
const button = (label: string) =>
  `[...(${machines})?.querySelectorAll('button') ?? []].find(({ innerText }) => innerText === '${label}')`

describeWhen(canRunLxc() ?? canRunQemu() ?? canRunVirsh() ?? canRunCockpit(), 'Cockpit', () => {
  test('shows a container beside a virtual machine, its details and console, and shuts it down', async () => {
    const signal = AbortSignal.timeout(100_000)
    await using pair = await guestPair({ config: 'show_all_as = ["qemu"]\n' })
    await startPair(pair)
    await using connection = await open(`covirt:///system?root=${pair.root.path}`)
    const container = await connection.domains.lookupByName(pair.container)
    const screenshots = process.env.COVIRT_SCREENSHOTS ?? pair.root.path
    await mkdir(screenshots, { recursive: true })
    await using browser = await cockpitBrowser(pair.libvirt, signal)
    const { page } = browser
    const id = (name: string, what: string) => `#vm-${name}-system-${what}`
    const state = (name: string) => within(`querySelector('${id(name, 'state')}')?.innerText`)

    await page.goTo(`${cockpitUrl}/machines`)
    // It says so where the processor has no virtualization, and does not go on by itself.
    const first = await page.until(`${button('Ignore')} ? 'Ignore' : ${state(pair.machine)}`)
    if (first === 'Ignore') await page.evaluate(`${button('Ignore')}.click()`)

    await expect(page.until(state(pair.container))).resolves.toMatch('Running')
    await expect(page.until(state(pair.machine))).resolves.toMatch('Running')
    await writeFile(join(screenshots, 'cockpit-list.png'), await page.screenshot())

    await page.until(clickOn(id(pair.container, 'name')))
    await page.until(`${shown}.includes('Emulated machine')`)
    expect(await page.evaluate(shown)).toEqual(
      expect.arrayContaining([
        pair.container,
        'Running',
        '32.0 MiB',
        'Console',
        pair.root.join('files/rootfs'),
      ]),
    )
    await page.until(`${within('body.innerText')}.includes("Connected to domain '${pair.container}'")`)
    await writeFile(join(screenshots, 'cockpit-details.png'), await page.screenshot())

    const off = container.waitFor('shutoff', { signal })
    await page.until(clickOn(id(pair.container, 'shutdown-button')))
    await expect(off).resolves.toMatchObject({ reason: 'shutdown' })
    await page.until(`${state(pair.container)}?.includes('Shut off')`)
  }, 180_000)
})
