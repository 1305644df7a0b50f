export { resolveRoot } from './root.js'
export { servedSocket } from './served-root.js'
