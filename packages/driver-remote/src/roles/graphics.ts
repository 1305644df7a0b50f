import type { GraphicsRole } from '@covirt/core'
import { procedures } from '@covirt/protocol'
import type { PeerCalls } from '../peer-calls.js'
import { RemotePipe } from '../remote-pipe.js'

/** The guest's screens. libvirt's daemons pass displays on as file descriptors, which plain Node cannot take. */
export function graphicsRole(calls: PeerCalls): GraphicsRole {
  return {
    screenshot: async (domain, { screen = 0, signal } = {}) => {
      const args = { domain, screen, flags: 0 }
      const { stream, result } = await calls.openBytes(procedures.domainScreenshot, args, { signal })
      return { mimeType: result.mime ?? 'application/octet-stream', stream }
    },
    openGraphics: async (domain, { index = 0, signal } = {}) => {
      const args = { domain, index }
      const { stream } = await calls.openPackets(procedures.covirtOpenGraphics, args, { signal })
      return new RemotePipe(stream)
    },
  }
}
