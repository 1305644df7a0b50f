/** What a template is filled in with. */
export interface TemplateOptions {
  /** An empty directory that becomes the root of the container. */
  readonly directory: string
  /** The container's hostname. */
  readonly name: string
  readonly signal: AbortSignal
  /** Which release of a distribution; its own default otherwise. */
  readonly suite?: string | undefined
  /** Where its packages come from; its own default otherwise. */
  readonly mirror?: string | undefined
  /** Told what is being done. */
  readonly onProgress: (step: string) => void
}

/** A way to make the root file system of a container. */
export interface Template {
  /** Fills the directory. `OPERATION_FAILED`, saying what to install, where this machine lacks something. */
  readonly build: (options: TemplateOptions) => Promise<void>
  /** The program that the container runs first. */
  readonly init: string
}
