export * from './describe-driver.js'
export * from './driver-fixture.js'
