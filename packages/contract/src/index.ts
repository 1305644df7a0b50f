export * from './describe-driver.js'
export * from './driver-fixture.js'
export type { SubjectName } from './subjects.js'
