const question =
  'echo "<<$(uname -sr) here: process 1 is $(cat /proc/1/comm), one of $(ls -d /proc/[0-9]* | wc -l)>>"'
const answer = /<<([^$<>]+)>>/

/**
 * Types a command at the shell on the console of `domain` and resolves to what it answers. A guest that is still
 * booting does not hear: it is asked again.
 */
export async function askShell(domain, signal) {
  const console = await domain.openConsole({ signal })
  const ask = () => console.write(`${question}\n`)
  const again = setInterval(ask, 500)
  try {
    ask()
    let heard = ''
    for await (const bytes of console) {
      heard += bytes
      const match = answer.exec(heard)
      if (match) return match[1]
    }
    throw new Error(`'${domain.name}' went off without an answer; it said: ${heard.slice(-500)}`)
  } finally {
    clearInterval(again)
    console.destroy()
  }
}
