/** A file system that is made ready for a container before it is started. Paths are of the host and absolute. */
export type Stage = StagePlace & StageSource

interface StagePlace {
  /** Below the container's root, escaped as in fstab(5); '' for the root itself. */
  readonly target: string
  readonly readonly: boolean
  /**
   * Whether owners are seen as the container's ids map them, on mounts that have no such map: always, where the file
   * system can (fails where it cannot, or stays as it is), or never.
   */
  readonly owners: 'mapped' | 'mapped-if-possible' | 'unmapped'
}

type StageSource =
  /** A directory or a file, with all that is mounted below it. */
  | { readonly kind: 'tree'; readonly source: string }
  /** A device: a node of the same kind and numbers, which belongs to the container's root. */
  | { readonly kind: 'device'; readonly source: string }
  /** A block device, or a file with the content of one, and the type of the file system in it. */
  | { readonly kind: 'image'; readonly source: string; readonly fileSystem: string }
  /** A file system in memory, of the size that `source` says (tmpfs(5)), which belongs to the container's root. */
  | { readonly kind: 'memory'; readonly source: string }
  /** A directory that changes never reach: they go to `data` in `writable`, which has an empty `work` too. */
  | { readonly kind: 'overlay'; readonly source: string; readonly writable: string }

/** The value of the program's `--stage`. Throws a TypeError for line breaks, which separate its fields. */
export function stageArgument(stage: Stage): string {
  const { target, readonly, owners, kind, source } = stage
  const mapping = { mapped: ['idmap'], 'mapped-if-possible': ['idmap-if-possible'], unmapped: [] }[owners]
  const more = stage.kind === 'image' ? [stage.fileSystem] : stage.kind === 'overlay' ? [stage.writable] : []
  const fields = [target, [...(readonly ? ['ro'] : []), ...mapping].join(','), kind, source, ...more]
  if (fields.some((field) => field.includes('\n')))
    throw new TypeError('A stage of a container holds a line break')
  return fields.join('\n')
}
