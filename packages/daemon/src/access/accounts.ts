import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** The id of a user or a group; `undefined` where there is no such. */
export type FindId = (database: 'passwd' | 'group', name: string) => Promise<number | undefined>

/** Asks the host's databases, directories of the network included (getent(1)). Digits are an id themselves. */
export const findId: FindId = async (database, name) => {
  if (/^\d{1,10}$/.test(name)) return Number(name)
  try {
    const { stdout } = await run('getent', ['--', database, name])
    const id = stdout.split(':')[2]
    return id === undefined ? undefined : Number(id)
  } catch {
    return undefined
  }
}
