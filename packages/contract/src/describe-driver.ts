import type { DriverFixture } from './driver-fixture.js'
import { type SubjectName, subjectNames, subjects } from './subjects.js'
import { runSubjects } from './suite.js'

/**
 * Registers the conformance suite with Jest, for the driver behind `fixture`. Every sentence of the doc
 * comments of `Driver` and of its roles is tested; a driver that passes can stand behind every user of
 * covirt.
 *
 * `chosen` names the subjects to run, where all of them would take too long: for peers behind a driver that passes.
 */
export function describeDriver(
  name: string,
  fixture: DriverFixture,
  chosen: readonly SubjectName[] = subjectNames,
): void {
  runSubjects(name, fixture, Object.fromEntries(chosen.map((subject) => [subject, subjects[subject]])))
}
