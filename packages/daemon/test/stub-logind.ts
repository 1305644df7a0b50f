import { execFileSync } from 'node:child_process'
import { closeSync, constants, openSync, writeFileSync, writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import type { TempRoot } from '../../../test/fixtures/index.js'
import type { ShutdownLockPrograms } from '../src/lifecycle/shutdown-lock.js'

/** Stands in for logind and for the programs that talk to it. */
export interface StubLogind extends Disposable {
  readonly programs: ShutdownLockPrograms
  /** What is run next: whether it takes the lock, and its process. */
  next(): Promise<{ readonly held: boolean; readonly pid: number }>
  /** Says `PrepareForShutdown` to who listens, each as at one moment, and answers so from now on. */
  say(...goingDown: readonly boolean[]): void
  /** Only answers so. */
  answer(goingDown: boolean): void
}

/** In the words of busctl(1); what is said goes through one pipe and what is run through another. */
export function stubLogind(root: TempRoot): StubLogind {
  const [said, run, answer] = [root.join('said'), root.join('run'), root.join('answer')]
  execFileSync('mkfifo', [said, run])
  // Open at both ends, so that nobody waits for the other one.
  const saying = openSync(said, 'r+')
  const running = new Socket({ fd: openSync(run, constants.O_RDWR | constants.O_NONBLOCK), writable: false })
  const lines = createInterface(running)[Symbol.asyncIterator]()
  const tell = (what: string) => ['sh', '-c', `echo ${what} $$ > '${run}'; exec "$@"`, what]
  const setAnswer = (goingDown: boolean) => writeFileSync(answer, `b ${goingDown}\n`)
  setAnswer(false)
  return {
    programs: {
      hold: tell('hold'),
      wait: tell('wait'),
      listen: ['sh', '-c', `echo listening >&2; exec cat '${said}'`],
      ask: ['cat', answer],
    },
    next: async () => {
      const [what, pid] = String((await lines.next()).value).split(' ')
      return { held: what === 'hold', pid: Number(pid) }
    },
    say: (...goingDown) => {
      setAnswer(goingDown.at(-1) === true)
      const text = (value: boolean) => `  MESSAGE "b" {\n          BOOLEAN ${value};\n  };\n\n`
      writeSync(saying, goingDown.map(text).join(''))
    },
    answer: setAnswer,
    [Symbol.dispose]: () => {
      closeSync(saying)
      running.destroy()
    },
  }
}
