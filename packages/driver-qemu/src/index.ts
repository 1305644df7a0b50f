export { QemuHypervisor } from './qemu-hypervisor.js'
export type { QemuMachine, QemuProgram } from './qemu-program.js'
export { type QemuDriver, qemuProvider } from './qemu-provider.js'
