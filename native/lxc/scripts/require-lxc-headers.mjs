// Run by binding.gyp: a missing header should be one clear sentence, not a page of compiler errors.
import { spawnSync } from 'node:child_process'

const compiler = process.env.CXX ?? 'c++'
const { status, error } = spawnSync(compiler, ['-E', '-x', 'c++', '-', '-o', '/dev/null'], {
  input: '#include <lxc/lxccontainer.h>\n',
  stdio: ['pipe', 'ignore', 'ignore'],
  shell: true,
})
if (error || status !== 0) {
  console.error(
    `\n@covirt/native-lxc: ${compiler} does not find <lxc/lxccontainer.h>. Install a C++ compiler and the ` +
      'headers of liblxc (Debian and Ubuntu: apt install g++ make python3 lxc-dev), then build again.\n',
  )
  process.exit(1)
}
