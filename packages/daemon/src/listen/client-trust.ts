import { X509Certificate } from 'node:crypto'
import { certificateKey, revokedCertificates } from './revoked-certificates.js'

/** Whose certificates are taken, as the files say. */
export interface TrustFiles {
  /** Certificates of authorities, in PEM. */
  readonly ca: Buffer
  /** Lists of revoked certificates, in PEM or DER. */
  readonly crl?: Buffer
}

/**
 * Tells who has been let in before whether a certificate still leads to one of the authorities, with nothing on the way that is
 * revoked or too old. In handshakes OpenSSL sees to that. Throws where an authority's certificate cannot be read.
 */
export function clientTrust({ ca, crl }: TrustFiles): (certificate: X509Certificate) => boolean {
  const revoked = crl ? revokedCertificates(crl) : new Set<string>()
  const authorities = certificatesIn(ca)
  const holds = (certificate: X509Certificate) =>
    !revoked.has(certificateKey(certificate)) && Date.parse(certificate.validTo) > Date.now()
  const leadsThere = (certificate: X509Certificate, depth = 0): boolean => {
    if (!holds(certificate) || depth > longestChain) return false
    if (authorities.some((authority) => holds(authority) && isIssuedBy(certificate, authority))) return true
    // What the client has sent with its own.
    const { issuerCertificate: next } = certificate
    return next !== undefined && isIssuedBy(certificate, next) && leadsThere(next, depth + 1)
  }
  return (certificate) => leadsThere(certificate)
}

/** As many as OpenSSL follows by itself. */
const longestChain = 100

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)
}

function certificatesIn(pem: Buffer): readonly X509Certificate[] {
  const blocks = pem
    .toString('latin1')
    .match(/-----BEGIN ((?:TRUSTED |X509 )?CERTIFICATE)-----[^-]+-----END \1-----/g)
  return (blocks ?? []).map((block) => new X509Certificate(block))
}
