// Of xml2js only the parser is loaded: its builder, which nobody here uses, takes twice as long to load.
declare module 'xml2js/lib/parser.js' {
  export class Parser {
    readonly saxParser: unknown
  }
}
