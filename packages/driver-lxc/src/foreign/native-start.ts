/** When a container of liblxc's own tools is started. */
export interface NativeStart {
  readonly autostart: boolean
  /** As of our own domains, whose default is 1000; `undefined` where the configuration says nothing of it. */
  readonly order: number | undefined
  readonly delayMs: number | undefined
}

/** The order that containers without a group begin with: as that of domains whose definitions say nothing. */
const firstOrder = 1000

/**
 * What a configuration says of the boot (lxc.container.conf(5), "AUTOSTART AND SYSTEM BOOT"): containers of the group
 * `onboot` come first, then those without a group, each by `lxc.start.order`; those that are only in other groups wait for
 * lxc-autostart(1) to be told their groups.
 */
export function nativeStart(config: string): NativeStart {
  const values = (key: string) =>
    [...config.matchAll(new RegExp(`^[ \\t]*${key}[ \\t]*=[ \\t]*(.*?)[ \\t]*$`, 'gm'))].map(
      ([, value]) => value ?? '',
    )
  const numberOf = (key: string) => {
    const last = values(key).at(-1)
    return last !== undefined && /^[0-9]{1,6}$/.test(last) ? Number(last) : undefined
  }
  const groups = groupsOf(values('lxc\\.group'))
  const isFirst = groups.includes('onboot')
  const order = numberOf('lxc\\.start\\.order')
  const delay = numberOf('lxc\\.start\\.delay')
  const isOfBoot = isFirst || groups.length === 0
  return {
    autostart: numberOf('lxc\\.start\\.auto') === 1 && isOfBoot,
    order: orderOf(order, isFirst),
    delayMs: delay === undefined ? undefined : delay * 1000,
  }
}

function orderOf(order: number | undefined, isFirst: boolean): number | undefined {
  if (isFirst) return Math.min(order ?? 0, firstOrder - 1)
  return order === undefined ? undefined : firstOrder + order
}

/** An empty value takes back those before it. */
function groupsOf(values: readonly string[]): readonly string[] {
  const named = values.slice(values.lastIndexOf('') + 1)
  return named.flatMap((value) => value.split(/[ \t,]+/)).filter((group) => group !== '')
}
