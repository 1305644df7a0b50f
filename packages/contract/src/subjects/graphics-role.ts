import { once } from 'node:events'
import { buffer } from 'node:stream/consumers'
import { expect } from '@jest/globals'
import type { Suite } from '../suite.js'

/** How pictures of each kind begin. */
const magic: Readonly<Record<string, string>> = { 'image/png': '\x89PNG', 'image/x-portable-pixmap': 'P6' }

/** The role `graphics`. */
export function graphicsRole({ needing, onOneGuest }: Suite): void {
  onOneGuest('screen', 'a picture of the screen is one of the kind that it says', async (domain) => {
    const { mimeType, stream } = await domain.screenshot()
    const picture = await buffer(stream)
    const start = magic[mimeType] as string
    expect(picture.toString('latin1', 0, start.length)).toBe(start)
  })

  needing('screen', 'a paused guest has a picture, too', async (scene) => {
    const domain = await scene.paused({ guest: 'screen' })
    const pictures = await Promise.all([domain.screenshot(), domain.screenshot()])
    for (const { stream } of pictures) expect((await buffer(stream)).length).toBeGreaterThan(0)
  })

  onOneGuest('screen', 'a display greets those who connect, one or several', async (domain) => {
    const displays = [await domain.openGraphics(), await domain.openGraphics({ index: 0 })]
    for (const display of displays) {
      const [greeting] = await once(display, 'data')
      expect(String(greeting)).toMatch(/^RFB 00/)
      display.destroy()
    }
  })

  needing('screen', 'a display ends with its guest', async (scene) => {
    const domain = await scene.running({ guest: 'screen' })
    const display = await domain.openGraphics()
    const ended = once(display.resume(), 'end')
    await domain.destroy()
    await ended
  })

  onOneGuest(
    'screen',
    'a screen or a display that there is not is an invalid argument',
    async (domain, scene) => {
      await scene.refuses('INVALID_ARG', () => domain.screenshot({ screen: 7 }))
      await scene.refuses('INVALID_ARG', () => domain.openGraphics({ index: 7 }))
    },
  )

  onOneGuest('plain', 'a guest without a screen has no picture', async (domain, scene) => {
    await scene.refuses('INVALID_ARG', () => domain.screenshot())
    await scene.refuses('INVALID_ARG', () => domain.openGraphics())
  })
}
