/** What happened, in structured form. `fields` carry the data; `message` is constant text. */
type Log = (message: string, fields?: Readonly<Record<string, unknown>>) => void

/** Where covirt tells what it does. `console` fits. */
export interface Logger {
  readonly debug: Log
  readonly info: Log
  readonly warn: Log
  readonly error: Log
}

const nothing = () => {}

/** The default: a library is silent. */
export const silentLogger: Logger = { debug: nothing, info: nothing, warn: nothing, error: nothing }
