export * from './behaviour.js'
export * from './test-controls.js'
export type { TestDriver } from './test-driver.js'
export * from './test-provider.js'
