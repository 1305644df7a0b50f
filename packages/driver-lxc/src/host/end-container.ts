import { type Logger, messageOf } from '@covirt/core'
import { type Container, stop } from '../native.js'
import { controlGroupsOf, killMembers } from './control-groups.js'

const stopPatienceMs = 10_000

/** Ends all processes of a container: through its monitor, and without it where that does not do it. */
export async function endContainer(container: Container, logger: Logger): Promise<void> {
  try {
    await stop(container, { signal: AbortSignal.timeout(stopPatienceMs) })
  } catch (error) {
    logger.warn('The monitor of a container does not stop it', {
      container: container.name,
      error: messageOf(error),
    })
    await killMembers(controlGroupsOf(container))
  }
}
