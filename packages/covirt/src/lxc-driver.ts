let loading: Promise<typeof import('@covirt/driver-lxc')> | undefined

/** The driver of containers and what comes with it, loaded with the first use: an `import` each time looks for it each time. */
export function lxcDriver(): Promise<typeof import('@covirt/driver-lxc')> {
  loading ??= import('@covirt/driver-lxc')
  return loading
}
