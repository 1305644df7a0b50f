export { daemonHookId } from './compose.js'
export type * from './daemon-hook.js'
