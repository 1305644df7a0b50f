import { describe, expect, test } from '@jest/globals'
import { readPlainConfig } from '../ts/confinement.js'

const architecture = process.arch === 'arm64' ? 'aarch64' : 'x86_64'

describe('what a configuration says of programs', () => {
  test('is read where all of it is known', () => {
    const config = `
# a comment
lxc.uts.name = web
lxc.arch = ${architecture}
lxc.net.0.veth.pair = veth0
lxc.cgroup2.memory.max = 64M
lxc.environment = PATH=/bin
lxc.environment=GREETING=good morning
lxc.no_new_privs = 1
lxc.seccomp.profile = /web/seccomp
`
    expect(readPlainConfig(config)).toEqual({
      environment: { PATH: '/bin', GREETING: 'good morning' },
      noNewPrivileges: true,
      profile: '/web/seccomp',
    })
  })

  test.each([
    'lxc.include = /usr/share/lxc/config/common.conf',
    'lxc.apparmor.profile = generated',
    'lxc.selinux.context = system_u:system_r:lxc_t:s0',
    'lxc.seccomp.allow_nesting = 1',
    'lxc.seccomp.profile = seccomp',
    'lxc.sched.core = 1',
    'lxc.namespace.share.net = 1',
    'lxc.no_new_privs =',
    'lxc.environment = HOME',
    'lxc.environment =',
    'lxc.environment = "HOME=/root"',
    'lxc.arch = s390',
    'lxc.uts.name = web\nno assignment',
  ])('is left to liblxc where %j is in it', (line) => {
    expect(readPlainConfig(line)).toBeUndefined()
  })
})
