import { Duplex } from 'node:stream'

/** The display of a simulated guest: it greets as a VNC server does (RFC 6143), and then says nothing. */
export class TestDisplay extends Duplex {
  constructor() {
    super()
    this.push('RFB 003.008\n')
  }

  /** The guest has gone off. */
  hangUp(): void {
    this.push(null)
    this.end()
  }

  override _read(): void {}

  override _write(_chunk: unknown, _encoding: BufferEncoding, done: () => void): void {
    done()
  }
}
