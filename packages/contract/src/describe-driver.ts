import type { RoleName } from '@covirt/core'
import type { DriverFixture } from './driver-fixture.js'
import { roleSubjects } from './subjects/roles.js'
import { type SubjectName, subjectNames, subjects } from './subjects.js'
import { runSubjects } from './suite.js'

/**
 * Registers the conformance suite with Jest, for the driver behind `fixture`. Every sentence of the doc
 * comments of `Driver` and of its roles is tested; a driver that passes can stand behind every user of
 * covirt.
 *
 * `chosen` names the subjects and the roles of the driver to run, where all of them would take too long: for peers
 * behind a driver that passes, and for what only a part of such a driver depends on.
 */
export function describeDriver(
  name: string,
  fixture: DriverFixture,
  chosen: readonly (SubjectName | RoleName)[] = subjectNames,
): void {
  const all = { ...roleSubjects, ...subjects }
  runSubjects(name, fixture, Object.fromEntries(chosen.map((subject) => [subject, all[subject]])))
}
