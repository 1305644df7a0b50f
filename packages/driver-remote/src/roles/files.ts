import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { abortable, checkGuestPath, type FilesRole } from '@covirt/core'
import { procedures } from '@covirt/protocol'
import type { PeerCalls } from '../peer-calls.js'
import { RemotePipe } from '../remote-pipe.js'

/** Contents of files in guests of a covirt server, as streams; its other methods travel by their names. */
export function fileStreams(calls: PeerCalls): Pick<FilesRole, 'readFile' | 'writeFile'> {
  return {
    readFile: async (domain, path, { offsetBytes, lengthBytes, signal } = {}) => {
      checkGuestPath(path, { offsetBytes, lengthBytes })
      const args = { domain, path, offsetBytes: bigOf(offsetBytes), lengthBytes: bigOf(lengthBytes) }
      const { stream } = await calls.openPackets(procedures.covirtReadFile, args, { signal })
      return new RemotePipe(stream)
    },
    writeFile: async (domain, path, content, { mode, uid, gid, signal } = {}) => {
      checkGuestPath(path, { mode, uid, gid })
      const args = { domain, path, mode, uid, gid }
      const { stream } = await calls.openPackets(procedures.covirtWriteFile, args, { signal })
      const source = content instanceof Readable ? content : Readable.from([Buffer.from(content)])
      const target = new RemotePipe(stream).resume()
      await abortable(pipeline(source, target as Writable, { ...(signal && { signal }) }), signal)
    },
  }
}

function bigOf(count: number | undefined): bigint | undefined {
  return count === undefined ? undefined : BigInt(count)
}
