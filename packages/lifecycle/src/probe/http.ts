import { notYet, type Probe } from './probe.js'

/** An HTTP server answers with the status that is wanted: any below 400 where none is named. */
export const probeHttp: Probe<'http'> = async ({ url, status: wanted }, { io, signal }) => {
  const status = await io.httpStatus(url, { signal })
  if (wanted === undefined ? status < 400 : status === wanted) return
  throw notYet(`${url} answers with status ${status}`)
}
