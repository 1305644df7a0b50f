// A process of ours among those of a container, which brings another one in.
#pragma once

#include <sys/types.h>

namespace covirt {

// Moving another process into a control group waits until the kernel knows that no process is being forked anywhere: some
// ten milliseconds on a machine at rest. Who is born there, or moves itself as the one thread that it has, waits for nothing.
struct Groups {
  char **legacy;        // directories of the container in hierarchies of version 1, ends with a null
  const char *unified;  // that of version 2; may be null
  unsigned owner;       // the container's root, as the host counts
  unsigned owner_group;
};

// A fork(2) of ours in that of version 2; it has yet to join the others. -1 where that fails.
pid_t ForkMember(const Groups &groups);

// Moves us, a process of one thread, into these groups of version 1.
bool Join(char **directories);

// Runs `attach` in a process that is in these groups and then ends; `attach` returns the number of what it has brought in,
// which is a child of ours afterwards, and calls AwaitAdoption with `link` before it does anything. Returns that number, or
// -1: nothing was brought in, or it ends by itself.
pid_t AttachFromWithin(const Groups &groups, pid_t (*attach)(void *argument, int link), void *argument);

// In what was brought in. From here on it dies with us. False where we have died meanwhile.
bool AwaitAdoption(int link);

}  // namespace covirt
