import { requireRole } from '@covirt/core'
import { notYet, type Probe } from './probe.js'

/** A program in the guest ends with exit code 0. */
export const probeExec: Probe<'exec'> = async ({ args }, { driver, domain, signal }) => {
  const program = await requireRole(driver, 'exec').exec(domain, args, { stdin: '', signal })
  program.stdout.resume()
  program.stderr.resume()
  const exit = await program.exit
  if ('code' in exit && exit.code === 0) return
  const how = 'code' in exit ? `code ${exit.code}` : exit.signal
  throw notYet(`'${args[0]}' ended with ${how}`)
}
