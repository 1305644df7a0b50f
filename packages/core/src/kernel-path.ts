/** A path as the kernel writes it in its tables, with blanks and the like in octal: fstab(5), proc_pid_mountinfo(5). */
export function decodeKernelPath(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)))
}
