import type { Driver, DriverRoles } from '@covirt/core'
import { IdAllocator, LocalDriver, type LocalDriverParts } from '@covirt/local'
import { TestControls } from './test-controls.js'
import { TestHypervisor } from './test-hypervisor.js'
import { testNode } from './test-node.js'
import type { TestWorld } from './test-world.js'

/** A driver whose guests are simulated in memory, and can be made to misbehave. */
export type TestDriver = Driver & DriverRoles & { readonly controls: TestControls }

/** Opens a driver on `world`. */
export async function openTestDriver(
  world: TestWorld,
  parts: Pick<LocalDriverParts, 'uri' | 'clock' | 'logger'> & Required<Pick<LocalDriverParts, 'release'>>,
): Promise<TestDriver> {
  const driver = await LocalDriver.open({
    ...parts,
    hypervisor: new TestHypervisor(world, parts.clock),
    store: world.store,
    places: world.places,
    ids: new IdAllocator(),
    readNodeInfo: async () => testNode,
  })
  // The hypervisor's `roles` and `savesGuests` have put all of them on the driver.
  return Object.assign(driver as Driver as TestDriver, { controls: new TestControls(world) })
}
