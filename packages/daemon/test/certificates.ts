import { execFile } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** A certificate authority in a directory of its own. */
export interface Authority {
  /** Its own certificate. */
  readonly ca: string
  /** Issues a certificate. `subject` as openssl has it: `/C=GB/CN=client`; `serial` is the next one by default. */
  issue(
    name: string,
    subject: string,
    serial?: string,
  ): Promise<{ readonly cert: string; readonly key: string }>
  /** Takes a certificate back; resolves to the path of the new list. */
  revoke(name: string): Promise<string>
}

/** Makes an authority that issues certificates of elliptic curves, as they are quick to make. No two have the same key. */
export async function makeAuthority(directory: string, name = 'covirt test authority'): Promise<Authority> {
  await mkdir(directory, { recursive: true })
  const at = (file: string) => join(directory, file)
  const openssl = (...args: string[]) => run('openssl', args, { cwd: directory })
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
  await writeFile(at('index.txt'), '')
  await writeFile(
    at('ca.cnf'),
    `[ca]\ndefault_ca = own\n[own]\ndatabase = ${at('index.txt')}\ncertificate = ${at('cacert.pem')}
private_key = ${at('cakey.pem')}\ndefault_md = sha256\ndefault_crl_days = 2\n`,
  )
  const authority = ['-x509', '-subj', `/CN=${name}`, '-days', '2']
  await openssl('req', ...newKey, ...authority, '-keyout', 'cakey.pem', '-out', 'cacert.pem')
  return {
    ca: at('cacert.pem'),
    issue: async (name, subject, serial) => {
      const [cert, key, request] = [`${name}cert.pem`, `${name}key.pem`, `${name}.csr`]
      await openssl('req', ...newKey, '-subj', subject, '-keyout', key, '-out', request)
      await writeFile(at('san.cnf'), 'subjectAltName = IP:127.0.0.1,DNS:localhost\n')
      const number = serial === undefined ? ['-CAcreateserial'] : ['-set_serial', serial]
      const signing = ['-CA', 'cacert.pem', '-CAkey', 'cakey.pem', ...number, '-days', '2']
      await openssl('x509', '-req', '-in', request, '-out', cert, ...signing, '-extfile', 'san.cnf')
      return { cert: at(cert), key: at(key) }
    },
    revoke: async (name) => {
      await openssl('ca', '-config', 'ca.cnf', '-revoke', `${name}cert.pem`)
      await openssl('ca', '-config', 'ca.cnf', '-gencrl', '-out', 'crl.pem')
      return at('crl.pem')
    },
  }
}
