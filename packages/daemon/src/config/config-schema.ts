import { isAbsolute } from 'node:path'
import { accessRoles } from '@covirt/server'
import { z } from 'zod'
import { logFormats, logLevels } from '../log/log-options.js'

const path = z.string().refine(isAbsolute, 'must be an absolute path')
const names = z.array(z.string().min(1))
const mode = z
  .string()
  .regex(/^0?[0-7]{3}$/, 'must be an octal mode such as "0660"')
  .transform((text) => Number.parseInt(text, 8))
const count = z.int().min(1).max(1_000_000)

const auth = z.enum(['none', 'sasl'])

const sockets = z.strictObject({
  path: path.optional(),
  mode: mode.optional(),
  group: z.string().min(1).optional(),
  readOnly: z.boolean().default(true),
  readOnlyMode: mode.optional(),
  libvirt: z.boolean().default(false),
  libvirtDirectory: path.optional(),
  auth: auth.default('none'),
})

const tcp = z.strictObject({
  enabled: z.boolean().default(false),
  listen: z.string().min(1).default('127.0.0.1'),
  port: z.int().min(0).max(65_535).default(16_509),
  auth: auth.default('sasl'),
})

const tls = z
  .strictObject({
    enabled: z.boolean().default(false),
    listen: z.string().min(1).default('0.0.0.0'),
    port: z.int().min(0).max(65_535).default(16_514),
    ca: path.default('/etc/pki/CA/cacert.pem'),
    cert: path.default('/etc/pki/libvirt/servercert.pem'),
    key: path.default('/etc/pki/libvirt/private/serverkey.pem'),
    crl: path.optional(),
    allowedDns: names.optional(),
    auth: auth.default('none'),
    clientCertificates: z.boolean().default(true),
  })
  .refine(({ auth, clientCertificates }) => clientCertificates || auth === 'sasl', {
    message: 'must be "sasl" where clients need no certificates',
    path: ['auth'],
  })

const sasl = z.strictObject({ passwords: path.optional() })

const role = z.enum(accessRoles)

const accessRule = z
  .strictObject({
    users: names.optional(),
    groups: names.optional(),
    dns: names.optional(),
    everyone: z.literal(true).optional(),
    role: z.enum(['none', ...accessRoles]),
    domains: names.optional(),
  })
  .refine(({ users, groups, dns, everyone }) => users ?? groups ?? dns ?? everyone, {
    message: 'must say whom it is for: users, groups, dns, or everyone = true',
  })

const access = z.strictObject({
  default: z.enum(['none', ...accessRoles]).optional(),
  rules: z.array(accessRule).default([]),
})

const log = z.strictObject({
  level: z.enum(logLevels).default('info'),
  format: z.enum(logFormats).default('auto'),
})

const limits = z.strictObject({
  clients: count.default(5000),
  runningCalls: count.default(64),
  waitingCalls: count.default(1024),
  streams: count.default(64),
  registrations: count.default(1024),
  keepaliveInterval: z.int().min(1).max(86_400).default(5),
  keepaliveCount: z.int().min(1).max(1000).default(5),
})

const seconds = z.number().min(0).max(31_622_400)

const lifecycle = z.strictObject({
  start: z.boolean().default(true),
  stop: z.boolean().default(true),
  inhibitor: z.boolean().default(true),
  deadline: seconds.default(300),
  limit: count.optional(),
  pullIn: z.boolean().optional(),
  order: z.int().min(-0x8000_0000).max(0x7fff_ffff).optional(),
  delay: seconds.optional(),
  attempts: z.int().min(1).max(1000).optional(),
  backoff: seconds.optional(),
  startTimeout: seconds.optional(),
  probeInterval: seconds.optional(),
  probeTimeout: seconds.optional(),
  until: z.enum(['started', 'ready']).optional(),
  onFailure: z.enum(['skip', 'start']).optional(),
  stopAction: z.enum(['shutdown', 'save', 'destroy', 'leave']).optional(),
  shutdownBudget: seconds.optional(),
})

/** What a configuration file may say, keys in camel case. */
export const configSchema = z.strictObject({
  drivers: names.default(['lxc', 'qemu']),
  showAllAs: names.default([]),
  sockets: sockets.prefault({}),
  tcp: tcp.prefault({}),
  tls: tls.prefault({}),
  sasl: sasl.prefault({}),
  access: access.prefault({}),
  log: log.prefault({}),
  limits: limits.prefault({}),
  lifecycle: lifecycle.prefault({}),
})

/** A configuration, complete with its defaults. */
export type DaemonConfig = z.infer<typeof configSchema>
export type AccessConfig = DaemonConfig['access']
export type AccessRuleConfig = AccessConfig['rules'][number]
export type TcpConfig = DaemonConfig['tcp']
export type TlsConfig = DaemonConfig['tls']
export type SocketsConfig = DaemonConfig['sockets']
export type LimitsConfig = DaemonConfig['limits']
export type LifecycleConfig = DaemonConfig['lifecycle']
/** What somebody may do: a role of the server, or nothing. */
export type GrantedRole = z.infer<typeof role> | 'none'
