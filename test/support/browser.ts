import type { Readable, Writable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'

/** A page in a browser that is driven through its DevTools protocol. */
export interface Page {
  /** Goes there, again and again until somebody answers. */
  goTo(url: string): Promise<void>
  /** The value of an expression of JavaScript in the page. */
  evaluate(expression: string): Promise<unknown>
  /** The value of such an expression once it is neither `undefined`, `null` nor false. */
  until(expression: string): Promise<unknown>
  /** What the page looks like, as PNG. */
  screenshot(): Promise<Buffer>
}

interface Answer {
  readonly id?: number
  readonly result?: never
  readonly error?: { readonly message: string }
}

const pollMs = 50

/**
 * The page of a browser that was started with `--remote-debugging-pipe`: JSON on its descriptors 3 and 4, each message
 * ended by a NUL (https://chromedevtools.github.io/devtools-protocol/). Ends waiting, and all else, when `signal` fires.
 */
export async function openPage(input: Writable, output: Readable, signal: AbortSignal): Promise<Page> {
  const waiting = new Map<number, (answer: Answer) => void>()
  let rest = ''
  output.setEncoding('utf8').on('data', (chunk: string) => {
    const messages = (rest + chunk).split('\0')
    rest = messages.pop() ?? ''
    for (const message of messages) {
      const answer: Answer = JSON.parse(message)
      if (answer.id !== undefined) waiting.get(answer.id)?.(answer)
    }
  })
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })
  aborted.catch(() => {})
  let last = 0
  const send = async <T>(method: string, params: object = {}, sessionId?: string): Promise<T> => {
    const id = ++last
    const answered = new Promise<Answer>((resolve) => waiting.set(id, resolve))
    input.write(`${JSON.stringify({ id, method, params, sessionId })}\0`)
    const { result, error } = await Promise.race([answered, aborted]).finally(() => waiting.delete(id))
    if (error) throw new Error(`${method}: ${error.message}`)
    return result as T
  }
  const { targetId } = await send<{ targetId: string }>('Target.createTarget', { url: 'about:blank' })
  const { sessionId } = await send<{ sessionId: string }>('Target.attachToTarget', {
    targetId,
    flatten: true,
  })
  const evaluate = async (expression: string): Promise<unknown> => {
    const { result, exceptionDetails } = await send<{
      result: { value?: unknown }
      exceptionDetails?: { exception?: { description?: string } }
    }>('Runtime.evaluate', { expression, returnByValue: true, awaitPromise: true }, sessionId)
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? expression)
    return result.value
  }
  return {
    evaluate,
    goTo: async (url) => {
      for (;;) {
        const { errorText } = await send<{ errorText?: string }>('Page.navigate', { url }, sessionId)
        if (errorText === undefined) return
        await delay(pollMs, undefined, { signal })
      }
    },
    until: async (expression) => {
      let value: unknown
      try {
        for (;;) {
          value = await evaluate(expression)
          if (value !== undefined && value !== null && value !== false) return value
          await delay(pollMs, undefined, { signal })
        }
      } catch (cause) {
        throw new Error(`${expression} is still ${value}`, { cause })
      }
    },
    screenshot: async () => {
      const { data } = await send<{ data: string }>('Page.captureScreenshot', {}, sessionId)
      return Buffer.from(data, 'base64')
    },
  }
}
