import type { GraphicsRole } from '@covirt/core'
import { procedures } from '@covirt/protocol'
import type { PeerCalls } from '../peer-calls.js'

/** The guest's screens. libvirt's daemons pass displays on as file descriptors, which plain Node cannot take. */
export function graphicsRole(calls: PeerCalls): GraphicsRole {
  return {
    screenshot: async (domain, { screen = 0, signal } = {}) => {
      const args = { domain, screen, flags: 0 }
      const { stream, result } = await calls.openBytes(procedures.domainScreenshot, args, { signal })
      return { mimeType: result.mime ?? 'application/octet-stream', stream }
    },
    openGraphics: (domain, { index = 0, signal } = {}) =>
      calls.openStream(procedures.covirtOpenGraphics, { domain, index }, { signal }),
  }
}
