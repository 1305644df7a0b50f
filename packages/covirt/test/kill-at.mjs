// `node --import ./kill-at.mjs …`: ends this process, as kill -9 does, before the KILL_AT-th change that it makes to files below
// KILL_BELOW by their names; the removal of a directory is two, so that one can be half done.
import { readdirSync, rmSync } from 'node:fs'
import fs from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'

const { KILL_AT, KILL_BELOW } = process.env
let left = Number(KILL_AT)

function step(path) {
  if (!String(path).startsWith(KILL_BELOW)) return
  left -= 1
  if (left === 0) process.kill(process.pid, 'SIGKILL')
}

const { rename, rm } = fs
fs.rename = (from, to) => {
  step(to)
  return rename(from, to)
}
fs.rm = (path, options) => {
  step(path)
  if (options?.recursive) {
    const [first] = readdirSync(path)
    if (first !== undefined) rmSync(join(path, first), { recursive: true })
    step(path)
  }
  return rm(path, options)
}
syncBuiltinESMExports()
