import type { DaemonConfig } from './config-schema.js'

/** What holds where a configuration says nothing: as `configSchema` has it, which takes long to load. */
export const defaultConfig: DaemonConfig = {
  drivers: ['lxc', 'qemu'],
  showAllAs: [],
  sockets: { readOnly: true, libvirt: false, auth: 'none' },
  tcp: { enabled: false, listen: '127.0.0.1', port: 16_509, auth: 'sasl' },
  tls: {
    enabled: false,
    listen: '0.0.0.0',
    port: 16_514,
    ca: '/etc/pki/CA/cacert.pem',
    cert: '/etc/pki/libvirt/servercert.pem',
    key: '/etc/pki/libvirt/private/serverkey.pem',
    auth: 'none',
    clientCertificates: true,
  },
  sasl: {},
  access: { rules: [] },
  log: { level: 'info', format: 'auto' },
  limits: {
    clients: 5000,
    runningCalls: 64,
    waitingCalls: 1024,
    streams: 64,
    registrations: 1024,
    keepaliveInterval: 5,
    keepaliveCount: 5,
  },
  lifecycle: { start: true, stop: true, inhibitor: true, deadline: 300 },
}
