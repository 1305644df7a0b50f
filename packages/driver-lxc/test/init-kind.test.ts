import { describe, expect, test } from '@jest/globals'
import { initKind, initSignals, isHeard, parseSignalMasks } from '../src/host/init-kind.js'

const status = (blocked: string, caught: string) =>
  parseSignalMasks(`Name:\tx\nSigBlk:\t${blocked}\nSigIgn:\t0000000000000000\nSigCgt:\t${caught}\n`)

const nothing = '0000000000000000'
const everythingBlocked = 'fffffffe7ffbfeff'
const goRuntime = 'fffffffd7fc1feff'

describe('what an init understands', () => {
  test.each([
    ['/sbin/init', '/usr/lib/systemd/systemd', 'systemd'],
    ['/sbin/init', '/bin/busybox', 'busybox'],
    ['/bin/sh', '/bin/busybox', 'application'],
    ['/sbin/init', '/sbin/init', 'sysvinit'],
    ['/sbin/init', '/sbin/openrc-init', 'openrc'],
    ['/init', '/usr/bin/tini', 'application'],
    ['/usr/bin/nginx', '/usr/sbin/nginx', 'unknown'],
  ])('%s that is %s is %s', (path, resolved, kind) => {
    expect(initKind(path, resolved)).toBe(kind)
  })

  test.each([
    ['a program that waits for all signals', everythingBlocked, nothing, 'SIGPWR'],
    ['a program with a handler for SIGPWR', nothing, '0000000020000000', 'SIGPWR'],
    ['a program with a handler for SIGTERM', nothing, '0000000000004000', 'SIGTERM'],
    ['a program written in Go', nothing, goRuntime, 'SIGTERM'],
    ['a program without handlers', nothing, nothing, 'SIGTERM'],
  ])('%s is asked to go down with the right one', (_, blocked, caught, halt) => {
    expect(initSignals('unknown', status(blocked, caught)).halt).toBe(halt)
  })

  test('a known init is asked in its own way, whatever it catches', () => {
    expect(initSignals('busybox', status(nothing, goRuntime)).halt).toBe('SIGUSR2')
  })

  test('a signal without handler is not heard', () => {
    expect(isHeard('SIGTERM', status(nothing, nothing))).toBe(false)
    expect(isHeard('SIGTERM', status(nothing, '0000000000004000'))).toBe(true)
    expect(isHeard('SIGRTMIN+3', status('0000001000000000', nothing))).toBe(true)
  })
})
