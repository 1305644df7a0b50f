import type { DriverFixture } from './driver-fixture.js'
import { subjects } from './subjects.js'
import { runSubjects } from './suite.js'

/**
 * Registers the conformance suite with Jest, for the driver behind `fixture`. Every sentence of the doc
 * comments of `Driver` and of its roles is tested; a driver that passes can stand behind every user of
 * covirt.
 */
export function describeDriver(name: string, fixture: DriverFixture): void {
  runSubjects(name, fixture, subjects)
}
