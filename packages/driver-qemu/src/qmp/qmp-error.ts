/** QEMU's refusal of a command: `class` is stable (`GenericError`, `CommandNotFound`, …), the text is not. */
export class QmpError extends Error {
  override readonly name = 'QmpError'
  readonly command: string
  readonly class: string

  constructor(command: string, errorClass: string, text: string) {
    super(text)
    this.command = command
    this.class = errorClass
  }
}

/** The channel has gone: QEMU ended, or somebody closed it. The command may or may not have been obeyed. */
export class QmpClosedError extends Error {
  override readonly name = 'QmpClosedError'
}
