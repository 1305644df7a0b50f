/**
 * The URI that `open()` and the `covirt` command use where none is given: `$COVIRT_DEFAULT_URI`, or all drivers of
 * this host: the system's for root, the user's own for everybody else.
 */
export function defaultUri(
  environment: Readonly<Record<string, string | undefined>> = process.env,
  userId: number | undefined = process.getuid?.(),
): string {
  return environment.COVIRT_DEFAULT_URI || (userId === 0 ? 'covirt:///system' : 'covirt:///session')
}
