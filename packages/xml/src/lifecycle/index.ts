export type { LifecycleInput, LifecycleXml } from './declaration.js'
export { lifecycleNamespace, lifecycleOf, withLifecycle } from './lifecycle.js'
