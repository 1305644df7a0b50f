import { join } from 'node:path'
import type { CallOptions } from '@covirt/core'
import type { GuestPlaces } from '@covirt/local'
import type { DomainXml } from '@covirt/xml'
import { idmapValues } from '../config/idmap.js'
import { initArgv } from '../config/init.js'
import { routesOf } from '../config/network.js'
import { stagesOf } from '../config/stages.js'
import { type Container, type Started, start } from '../native.js'
import { exportedImages } from './image-exports.js'
import { rawImages } from './image-type.js'
import { ephemeralDirectory } from './overlays.js'

/** How {@link startContainer} starts one. */
export interface StartContainerOptions extends CallOptions {
  /** Live. */
  readonly document: DomainXml
  /** It has ids of its own. */
  readonly ownIds: boolean
  readonly places: GuestPlaces
  /** Files of lxcfs, each by its path below the root and in the container. */
  readonly lxcfs: ReadonlyMap<string, string>
  /** Held before its first instruction. */
  readonly paused?: boolean
}

/** Starts a container whose configuration has been written and whose images are shown, with its file systems. */
export async function startContainer(
  container: Container,
  { document, ownIds, places, lxcfs, ...options }: StartContainerOptions,
): Promise<Started> {
  const images = await rawImages(document, exportedImages(document, imagesDirectoryOf(places)))
  return start(container, {
    ...options,
    argv: initArgv(document),
    routes: routesOf(document),
    idmaps: idmapValues(document),
    stages: stagesOf(document, {
      ownIds,
      images,
      lxcfs,
      ephemeral: (index) => ephemeralDirectory(container, index),
    }),
    logFile: join(places.runDirectory, 'liblxc.log'),
    logLevel: 'WARN',
  })
}

/** Where a guest's images of other formats are shown as raw ones. */
export function imagesDirectoryOf({ runDirectory }: GuestPlaces): string {
  return join(runDirectory, 'images')
}
