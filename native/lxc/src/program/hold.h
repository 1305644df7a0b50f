// Keeps a container's init from its first instruction until its cgroup can be frozen.
//
// liblxc has no paused start: a container that is frozen once start has returned has run for a moment by then,
// and one that is frozen before cannot finish its start. So a hook of liblxc's (`lxc.hook.start-host`, which runs
// when init is there and waits for the word to go on) has a small process trace init, which the kernel then stops
// in the moment of its exec. Whoever starts the container freezes its cgroup, and lets init go.
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include <lxc/lxccontainer.h>

namespace covirt {

// The side of the one that starts.
class Gate {
 public:
  // Puts the hook into the container's configuration, in memory. False, with errno.
  bool Open(lxc_container *container);

  // After start: waits until init is held at its exec. False, with the reason, where it is not and will not be.
  bool AwaitHeld(char *reason, size_t reason_size);

  // Lets init go; it is not traced any more on return, and its tracer has ended.
  void Release();

 private:
  int listener_ = -1;
  int holder_ = -1;
  int pidfd_ = -1;
};

// The verb of the hook: holds the init LXC_PID for the gate of this name. Returns once init is traced; a process
// that stays behind holds it, and ends with init, with its exec, or with the gate. Always succeeds, since a hook
// that fails ends the start: the gate is told the reason.
int Hold(const char *gate_name);

}  // namespace covirt
