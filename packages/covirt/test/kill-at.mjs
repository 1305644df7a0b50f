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
  return rm(path, options)
}
syncBuiltinESMExports()

// Directories are removed by a program that the addon starts.
const { dlopen } = process
process.dlopen = (module, ...file) => {
  dlopen(module, ...file)
  const { spawn } = module.exports
  module.exports.spawn = (program, argv, ...surroundings) => {
    if (argv[1] === 'remove') removeByHalf(argv[2])
    return spawn(program, argv, ...surroundings)
  }
}

function removeByHalf(directory) {
  step(directory)
  const [first] = readdirSync(directory)
  if (first !== undefined) rmSync(join(directory, first), { recursive: true })
  step(directory)
}
