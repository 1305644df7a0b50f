import { type KeyboardRole, type KeyCodeSet, VirError } from '@covirt/core'
import { limits, procedures } from '@covirt/protocol'
import type { PeerCalls } from '../peer-calls.js'

/** virKeycodeSet. */
const codeSets: Readonly<Record<KeyCodeSet, number>> = { linux: 0, xt: 1, qnum: 9 }

/** The guest's keyboard. */
export function keyboardRole(calls: PeerCalls): KeyboardRole {
  return {
    sendKey: async (domain, keycodes, { codeSet = 'linux', holdTimeMs = 0, signal } = {}) => {
      if (keycodes.length > limits.keycodes)
        throw new VirError('INVALID_ARG', `At most ${limits.keycodes} keys are pressed together`)
      const codeset = codeSets[codeSet]
      if (codeset === undefined) throw new VirError('ARGUMENT_UNSUPPORTED', `'${codeSet}' is no set of keys`)
      const wrong = keycodes.find((code) => code >>> 0 !== code)
      if (wrong !== undefined) throw new VirError('INVALID_ARG', `There is no key ${wrong}`)
      const args = { domain, codeset, holdMs: holdTimeMs, keycodes, flags: 0 }
      await calls.call(procedures.domainSendKey, args, { signal })
    },
  }
}
