import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { messageOf, VirError } from '@covirt/core'

/** What a TLS connection needs, in PEM. */
export interface Certificates {
  readonly ca: string
  readonly crl: string | undefined
  readonly cert: string | undefined
  readonly key: string | undefined
}

interface Places {
  readonly ca: string
  readonly crl: string
  readonly cert: string
  readonly key: string
}

/**
 * Reads certificates from where libvirt's clients do: all from `pkiPath`, else the calling user's below
 * `~/.pki/libvirt`, else the host's below `/etc/pki`. A user may have a certificate of his own and the host's
 * authority. `NO_CONNECT` where there is no authority to trust.
 */
export async function readCertificates(
  pkiPath: string | undefined,
  home: string | undefined = process.env.HOME,
): Promise<Certificates> {
  const places =
    pkiPath === undefined
      ? [...(home === undefined ? [] : [flat(join(home, '.pki/libvirt'))]), hostPlaces]
      : [flat(pkiPath)]
  const ca = await first(places.map((place) => place.ca))
  if (ca === undefined) {
    throw new VirError('NO_CONNECT', `No certificate of an authority is at ${places[0]?.ca}`, {
      domain: 'RPC',
      hint: `Put it there, or name the directory with '?pkipath=DIR'`,
    })
  }
  const crl = await first(places.map((place) => place.crl))
  for (const place of places) {
    const cert = await read(place.cert)
    if (cert !== undefined) return { ca, crl, cert, key: await read(place.key) }
  }
  return { ca, crl, cert: undefined, key: undefined }
}

const hostPlaces: Places = {
  ca: '/etc/pki/CA/cacert.pem',
  crl: '/etc/pki/CA/cacrl.pem',
  cert: '/etc/pki/libvirt/clientcert.pem',
  key: '/etc/pki/libvirt/private/clientkey.pem',
}

function flat(directory: string): Places {
  return {
    ca: join(directory, 'cacert.pem'),
    crl: join(directory, 'cacrl.pem'),
    cert: join(directory, 'clientcert.pem'),
    key: join(directory, 'clientkey.pem'),
  }
}

async function first(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const text = await read(path)
    if (text !== undefined) return text
  }
  return undefined
}

async function read(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new VirError('NO_CONNECT', `${path} cannot be read: ${messageOf(cause)}`, { domain: 'RPC', cause })
  }
}
