export * from './host/lock-file.js'
export * from './host/trees.js'
export * from './lxc-hypervisor.js'
export * from './provider.js'
