/** Ways to make text stand out. */
export interface Colour {
  readonly green: (text: string) => string
  readonly yellow: (text: string) => string
  readonly red: (text: string) => string
  readonly dim: (text: string) => string
  readonly bold: (text: string) => string
}

const codes = { green: 32, yellow: 33, red: 31, dim: 2, bold: 1 } as const
const plain = (text: string) => text

/** Colours for a stream: only on a terminal, and not where NO_COLOR (no-color.org) or TERM=dumb asks for none. */
export function colourOf(
  stream: { readonly isTTY?: boolean | undefined },
  environment: Readonly<Record<string, string | undefined>>,
): Colour {
  const wanted = stream.isTTY === true && !environment.NO_COLOR && environment.TERM !== 'dumb'
  const paint = (code: number) => (wanted ? (text: string) => `\x1b[${code}m${text}\x1b[0m` : plain)
  return {
    green: paint(codes.green),
    yellow: paint(codes.yellow),
    red: paint(codes.red),
    dim: paint(codes.dim),
    bold: paint(codes.bold),
  }
}
