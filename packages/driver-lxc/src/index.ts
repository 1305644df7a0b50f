export * from './host/copy-tree.js'
export * from './lxc-hypervisor.js'
export * from './provider.js'
