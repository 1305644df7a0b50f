/** All that is for guests that run, and for containers of others: loaded once there is one, or is to be. */
export { redefinition } from './config/from-native.js'
export { liveDocument } from './config/live-document.js'
export { toNative } from './config/to-native.js'
export { ForeignContainers } from './foreign/foreign-containers.js'
export { LxcGuest } from './guest/lxc-guest.js'
export { retryAllLeftovers } from './host/leftovers.js'
export { LxcGuests } from './lxc-guests.js'
export { rootfsSnapshots } from './rootfs-snapshots.js'
