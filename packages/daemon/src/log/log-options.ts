/** How much is logged, each including those before it. */
export const logLevels = ['error', 'warn', 'info', 'debug'] as const
/** In what form it is logged. */
export const logFormats = ['auto', 'journal', 'json', 'text'] as const
