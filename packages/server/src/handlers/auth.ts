import type { SaslAnswer, SaslLogin } from '../access/sasl-login.js'
import type { Handlers } from '../handler.js'
import type { Session } from '../session.js'

/** virConnectAuthType. */
const authTypes = { none: 0, sasl: 1 } as const

export const authHandlers = {
  authList: ({ session }) => ({ types: [session.access.asksForLogin ? authTypes.sasl : authTypes.none] }),
  authSaslInit: ({ session }) => ({ mechanisms: session.access.login.mechanisms }),
  authSaslStart: ({ session }, { mechanism, absent, data }) =>
    answer(session, (login) => login.start(mechanism, textOf(absent, data))),
  authSaslStep: ({ session }, { absent, data }) =>
    answer(session, (login) => login.step(textOf(absent, data))),
} satisfies Handlers

async function answer(session: Session, step: (login: SaslLogin) => Promise<SaslAnswer>) {
  const { access } = session
  try {
    const { data, user } = await access.logIn(step)
    return { complete: user !== undefined, absent: false, data: Buffer.from(data) }
  } catch (error) {
    if (!access.known && access.login.exhausted) session.leave()
    throw error
  }
}

/** No data and empty data are not the same to SASL. */
function textOf(absent: boolean, data: Uint8Array): string | undefined {
  return absent ? undefined : Buffer.from(data).toString()
}
