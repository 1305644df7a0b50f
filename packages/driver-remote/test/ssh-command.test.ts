import { execFileSync } from 'node:child_process'
import { parseConnectUri } from '@covirt/core'
import { describe, expect, test } from '@jest/globals'
import fc from 'fast-check'
import { parseRemoteTarget } from '../src/remote-target.js'
import { quoted, sshArguments } from '../src/transports/ssh-command.js'

function argumentsOf(uri: string): readonly string[] {
  const target = parseRemoteTarget(parseConnectUri(uri))
  if (target.route.by !== 'ssh') throw new Error('not through ssh')
  return sshArguments(target, target.route)
}

/** What the remote user's shell is given to run. */
const scriptOf = (uri: string) => argumentsOf(uri).at(-1) as string

test('options of ssh come before the host, which cannot be taken for one', () => {
  const args = argumentsOf('qemu+ssh://me@host:2222/system?keyfile=/k&no_tty=1&no_verify=1')
  const options = '-T -e none -p 2222 -l me -i /k -o BatchMode=yes -o StrictHostKeyChecking=no -- host'
  expect(args.slice(0, -1).join(' ')).toBe(options)
})

test.each([
  ['known_hosts=/k%20"%25', '-o UserKnownHostsFile="/k \\"%%"'],
  ['known_hosts_verify=auto', '-o StrictHostKeyChecking=accept-new'],
  ['known_hosts_verify=ignore', '-o StrictHostKeyChecking=no'],
  ['known_hosts_verify=normal', ''],
  ['sshauth=agent,privkey,password', '-o PreferredAuthentications=publickey,password'],
  ['sshauth=privkey', '-o PreferredAuthentications=publickey -o IdentityAgent=none'],
])('%s, which libvirt has for libraries of its own, is told to ssh in its words', (query, options) => {
  const args = argumentsOf(`qemu+ssh://host/system?${query}`)
  expect(args.slice(3, -3).join(' ')).toBe(options)
})

describe('what runs on the other host', () => {
  test("is libvirt's helper where it is there, else netcat on the daemon's socket", () => {
    expect(scriptOf('qemu+ssh://host/system')).toMatch(
      /virt-ssh-helper .*qemu:\/\/\/system.*nc.*virtqemud-sock/,
    )
  })

  test('is netcat where a socket is named', () => {
    expect(scriptOf('qemu+ssh://host/system?socket=/s')).not.toContain('virt-ssh-helper')
  })

  test('is netcat for covirt, whose socket the helper does not know', () => {
    expect(scriptOf('covirt+ssh://host/system')).not.toContain('virt-ssh-helper')
    expect(scriptOf('covirt+ssh://host/system')).toContain('/run/covirt/covirt-sock')
  })

  test('asks the helper for reading only', () => {
    expect(scriptOf('qemu+ssh://host/system?readonly')).toContain('virt-ssh-helper -r')
  })

  test("looks for a user's own daemon below the runtime directory over there", () => {
    expect(scriptOf('qemu+ssh://host/session')).toContain('XDG_RUNTIME_DIR')
  })

  test.each(['qemu+ssh://host/system', 'qemu+ssh://host/session', 'lxc+ssh://host/?socket=/a%20b'])(
    'is a script that a shell can read, for %s',
    (uri) => {
      const words = execFileSync('sh', ['-c', `set -- ${scriptOf(uri)}; printf '%s\\n' "$#" "$3"`], {
        encoding: 'utf8',
      })
      const [count, script] = words.split('\n')
      expect(count).toBe('3')
      expect(() => execFileSync('sh', ['-n', '-c', script as string])).not.toThrow()
    },
  )
})

test('any text is one word to a shell, and that text', () => {
  const text = fc.string({ unit: fc.constantFrom(...` '"\\$\`!*;&|<>()\n\tab~#é`) })
  fc.assert(
    fc.property(text, (word) => {
      const said = execFileSync('sh', ['-c', `printf '%s|' ${quoted(word)}`], { encoding: 'utf8' })
      expect(said).toBe(`${word}|`)
    }),
    { numRuns: 50 },
  )
})
