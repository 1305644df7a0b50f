import { refuseGuessedFormats } from '@covirt/local'
import type { DiskXml } from '@covirt/xml'

/** The file or block device that a disk is. */
export function imageOf(disk: DiskXml): string | undefined {
  return disk.type === 'file' ? disk.source?.file : disk.type === 'block' ? disk.source?.dev : undefined
}

/** Refuses a disk with a backing file whose format nobody has written down. */
export async function refuseGuessedDisk(disk: DiskXml): Promise<void> {
  const path = disk.driver?.type === 'qcow2' ? imageOf(disk) : undefined
  if (path !== undefined) await refuseGuessedFormats(path)
}
