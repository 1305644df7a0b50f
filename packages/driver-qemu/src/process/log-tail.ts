import { open, stat } from 'node:fs/promises'

/** The most that is read of what a process has said last. */
const maxTailBytes = 16 * 1024

/** How long the file is now; 0 where there is none. */
export async function fileSize(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0
}

/**
 * The last `count` lines that were written to the log after `offset`, oldest first, without the time stamps
 * that QEMU's `-msg timestamp=on` puts before them and without our own lines.
 */
export async function logTail(path: string, offset: number, count: number): Promise<string[]> {
  const file = await open(path, 'r').catch(() => undefined)
  if (!file) return []
  try {
    const { size } = await file.stat()
    const start = Math.max(offset, size - maxTailBytes)
    const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.max(0, size - start)), {
      position: start,
    })
    const lines = buffer.toString('utf8', 0, bytesRead).split('\n')
    return lines
      .map((line) => line.replace(/^\d{4}-\d\d-\d\dT[\d:.]+Z /, '').trim())
      .filter((line) => line !== '' && !line.startsWith(ownLine))
      .slice(-count)
  } finally {
    await file.close()
  }
}

/** How lines begin that we write to a guest's log ourselves. */
export const ownLine = 'covirt: '
