export * from './describe-driver.js'
export type * from './driver-fixture.js'
export type { SubjectName } from './subjects.js'
