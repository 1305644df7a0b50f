import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cached } from '../../../test/fixtures/build-cache.js'

const run = promisify(execFile)

/** An authority, and one certificate for 127.0.0.1 and localhost that serves and asks, laid out as `pkipath=` has it. */
export interface TestCertificates {
  readonly directory: string
  readonly ca: string
  readonly cert: string
  readonly key: string
}

/** Made once a machine, by openssl. */
export async function certificates(): Promise<TestCertificates> {
  const directory = await cached('certificates', [], async (out) => {
    const file = (name: string) => join(out, name)
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '3650']
    const openssl = (...args: string[]) => run('openssl', args)
    await openssl(
      'req',
      '-x509',
      ...curve,
      '-subj',
      '/CN=authority',
      '-keyout',
      file('cakey.pem'),
      '-out',
      file('cacert.pem'),
    )
    await openssl(
      'req',
      ...curve,
      '-subj',
      '/CN=localhost',
      '-keyout',
      file('clientkey.pem'),
      '-out',
      file('request.pem'),
    )
    await writeFile(file('extensions'), 'subjectAltName=IP:127.0.0.1,DNS:localhost\n')
    const authority = ['-CA', file('cacert.pem'), '-CAkey', file('cakey.pem'), '-CAcreateserial']
    const request = ['-req', '-in', file('request.pem'), '-extfile', file('extensions'), '-days', '3650']
    await openssl('x509', ...request, ...authority, '-out', file('clientcert.pem'))
  })
  const read = (name: string) => readFile(join(directory, name), 'utf8')
  return {
    directory,
    ca: await read('cacert.pem'),
    cert: await read('clientcert.pem'),
    key: await read('clientkey.pem'),
  }
}
