let loading: Promise<typeof import('./guests.js')> | undefined

/** What is for guests that run, asked for once: each import goes through the loader anew. */
export function loadGuests(): Promise<typeof import('./guests.js')> {
  loading ??= import('./guests.js')
  return loading
}
