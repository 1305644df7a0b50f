/**
 * The name in a certificate in the form of RFC 4514, but in the certificate's own order, which is what libvirt's
 * `tls_allowed_dn_list` goes by: `C=GB,O=Example,CN=client`. `subject` is what Node tells, a line an attribute, with
 * what is special in values escaped already.
 */
export function distinguishedName(subject: string): string {
  return subject
    .split('\n')
    .filter((line) => line !== '')
    .join(',')
}
