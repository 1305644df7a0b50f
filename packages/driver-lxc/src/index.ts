export * from './lxc-hypervisor.js'
export * from './provider.js'
