export * from './hypervisor.js'
