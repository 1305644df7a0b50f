import { VirError } from '@covirt/core'

/** One line of a liblxc configuration: key and value. */
export type ConfigLine = readonly [key: string, value: string]

/**
 * Lines as the text of a configuration file (lxc.container.conf(5)). Throws `CONFIG_UNSUPPORTED` for a value
 * that would not come out of liblxc's parser as it is, or would become a line of its own.
 */
export function formatConfig(lines: readonly ConfigLine[]): string {
  return lines.map(([key, value]) => `${key} = ${quoteValue(key, value)}\n`).join('')
}

/** liblxc trims values and strips one pair of quotes around them; another pair keeps both from happening. */
function quoteValue(key: string, value: string): string {
  if (/[\n\r\0]/.test(value)) {
    throw new VirError(
      'CONFIG_UNSUPPORTED',
      `A value for ${key} holds a line break, which liblxc cannot take`,
      {
        domain: 'LXC',
      },
    )
  }
  return /^[\s"']|\s$/.test(value) ? `"${value}"` : value
}

/** A field of an `lxc.mount.entry`, escaped as fstab(5) wants it. */
export function mountField(text: string): string {
  return text.replace(/[\s\\#]/g, (char) => `\\${char.charCodeAt(0).toString(8).padStart(3, '0')}`)
}
