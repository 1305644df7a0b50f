import { type KeyCodeSet, keyCodeSets, VirError } from '@covirt/core'

/**
 * Those of the kernel's key codes (input-event-codes.h) that are other ones for QEMU. Up to 88 they are the scan codes
 * of set 1, which QEMU takes, with 128 more where a scan code has the prefix 0xe0.
 */
const extendedKeys: Readonly<Record<number, number>> = {
  96: 0x9c, // KPENTER
  97: 0x9d, // RIGHTCTRL
  98: 0xb5, // KPSLASH
  99: 0x54, // SYSRQ
  100: 0xb8, // RIGHTALT
  102: 0xc7, // HOME
  103: 0xc8, // UP
  104: 0xc9, // PAGEUP
  105: 0xcb, // LEFT
  106: 0xcd, // RIGHT
  107: 0xcf, // END
  108: 0xd0, // DOWN
  109: 0xd1, // PAGEDOWN
  110: 0xd2, // INSERT
  111: 0xd3, // DELETE
  113: 0xa0, // MUTE
  114: 0xae, // VOLUMEDOWN
  115: 0xb0, // VOLUMEUP
  116: 0xde, // POWER
  119: 0xc6, // PAUSE
  125: 0xdb, // LEFTMETA
  126: 0xdc, // RIGHTMETA
  127: 0xdd, // COMPOSE
  142: 0xdf, // SLEEP
  143: 0xe3, // WAKEUP
}

const lastPlainKey = 88

/** What QEMU calls a key. `INVALID_ARG` for one that there is not. */
export function qemuKey(code: number, codeSet: KeyCodeSet): number {
  if (!keyCodeSets.includes(codeSet))
    throw new VirError('ARGUMENT_UNSUPPORTED', `There is no set of key codes '${codeSet}' here`, {
      domain: 'QEMU',
      hint: `Known are ${keyCodeSets.join(', ')}`,
    })
  const isKey = Number.isInteger(code) && code > 0 && code < 256
  const key = codeSet !== 'linux' || code <= lastPlainKey ? code : extendedKeys[code]
  if (isKey && key !== undefined) return key
  throw new VirError('INVALID_ARG', `There is no key ${code} in the set '${codeSet}'`, { domain: 'QEMU' })
}
