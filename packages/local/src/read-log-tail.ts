import { open } from 'node:fs/promises'

/** What is kept of a console at the most, and so what is given out of it. */
const maxTailBytes = 16 << 20

/** The last `bytes` of a log file and of the one before it (`FILE.1`), as far as they are there. */
export async function readLogTail(file: string, bytes: number): Promise<Buffer> {
  const wanted = Math.min(bytes, maxTailBytes)
  const last = await tailOf(file, wanted)
  if (last.length >= wanted) return last
  return Buffer.concat([await tailOf(`${file}.1`, wanted - last.length), last])
}

async function tailOf(file: string, bytes: number): Promise<Buffer> {
  try {
    await using handle = await open(file)
    const { size } = await handle.stat()
    const start = Math.max(0, size - bytes)
    const buffer = Buffer.alloc(size - start)
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, start)
    return buffer.subarray(0, bytesRead)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0)
    throw error
  }
}
