import { InvalidArgumentError } from 'commander'

/** The names of keys in the order of their codes, from 1 (the kernel's input-event-codes.h). */
const firstKeys = `ESC 1 2 3 4 5 6 7 8 9 0 MINUS EQUAL BACKSPACE TAB Q W E R T Y U I O P LEFTBRACE RIGHTBRACE ENTER LEFTCTRL
A S D F G H J K L SEMICOLON APOSTROPHE GRAVE LEFTSHIFT BACKSLASH Z X C V B N M COMMA DOT SLASH RIGHTSHIFT KPASTERISK LEFTALT
SPACE CAPSLOCK F1 F2 F3 F4 F5 F6 F7 F8 F9 F10 NUMLOCK SCROLLLOCK KP7 KP8 KP9 KPMINUS KP4 KP5 KP6 KPPLUS KP1 KP2 KP3 KP0 KPDOT`

const furtherKeys: Readonly<Record<string, number>> = {
  '102ND': 86,
  F11: 87,
  F12: 88,
  KPENTER: 96,
  RIGHTCTRL: 97,
  KPSLASH: 98,
  SYSRQ: 99,
  RIGHTALT: 100,
  HOME: 102,
  UP: 103,
  PAGEUP: 104,
  LEFT: 105,
  RIGHT: 106,
  END: 107,
  DOWN: 108,
  PAGEDOWN: 109,
  INSERT: 110,
  DELETE: 111,
  MUTE: 113,
  VOLUMEDOWN: 114,
  VOLUMEUP: 115,
  POWER: 116,
  PAUSE: 119,
  LEFTMETA: 125,
  RIGHTMETA: 126,
  COMPOSE: 127,
}

const keyCodes = new Map<string, number>([
  ...firstKeys.split(/\s+/).map((name, index) => [name, index + 1] as const),
  ...Object.entries(furtherKeys),
])

/** Reads a key: a name such as `KEY_LEFTCTRL`, or its code in the set that is used. */
export function parseKey(text: string): number {
  const named = keyCodes.get(text.replace(/^KEY_/, ''))
  if (text.startsWith('KEY_') && named !== undefined) return named
  if (/^(0x[0-9a-f]{1,2}|[0-9]{1,3})$/i.test(text)) return Number(text)
  throw new InvalidArgumentError('It must be a key such as KEY_ENTER, or the number of one.')
}
