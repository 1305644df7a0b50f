// How the quickstart tells what it does.

const colours = process.stdout.isTTY && !process.env.NO_COLOR
const paint = (code) => (text) => (colours ? `\x1b[${code}m${text}\x1b[0m` : text)

export const bold = paint(1)
const dim = paint(2)
const green = paint(32)
const red = paint(31)

/** Runs `action`; prints its title with the time that it took. */
export async function step(title, action) {
  const begun = performance.now()
  try {
    const result = await action()
    console.log(`  ${green('✓')} ${title.padEnd(64)} ${dim(timeSince(begun))}`)
    return result
  } catch (error) {
    console.log(`  ${red('✗')} ${title.padEnd(64)} ${dim(timeSince(begun))}`)
    throw error
  }
}

/** Prints domains as a person likes to read them. */
export function printTable(domains) {
  const rows = domains.map(({ domain, type, state, memoryKib, vcpus }) => [
    String(domain.id ?? '-'),
    domain.name,
    type,
    state.state,
    `${(memoryKib / 1024).toFixed(1)} MiB`,
    String(vcpus),
  ])
  const table = [['Id', 'Name', 'Type', 'State', 'Memory', 'CPUs'], ...rows]
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)))
  const lines = table.map((row) => row.map((text, column) => text.padEnd(widths[column])).join('   '))
  console.log(
    `\n    ${bold(lines[0])}\n${lines
      .slice(1)
      .map((line) => `    ${line}\n`)
      .join('')}`,
  )
}

function timeSince(begun) {
  return `${((performance.now() - begun) / 1000).toFixed(2)} s`.padStart(8)
}
