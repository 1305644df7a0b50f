/**
 * The name of a domain's snapshot within its images. It is ours: others that are there are never touched, and none is
 * taken for the number of another one, by which images know them too.
 */
export function tagOf(snapshot: string): string {
  return `covirt-${snapshot}`
}
