// The control groups that covirt-lxc itself is in: liblxc puts who starts a container next to its monitor.
#pragma once

namespace covirt {

// The first process that is moved between control groups in a while waits until the kernel knows that no process is being
// forked anywhere: ten milliseconds and more. Those after it do not. So a process that is good for nothing else is moved to
// `home`, where it is already, and waits while the container is prepared; liblxc's own moves find that done, or come to share it.
void BeginMoves(const char *home);

// Back to the groups of who called us, ends with a null. A monitor that cleans up while we are next to it cannot remove its
// groups. Those that may not be left, or are gone, are left by our end.
void GoHome(char *const *homes);

// Our /proc/self/cgroup, as far as it fits, as it was before we went home.
const char *StartGroups();

}  // namespace covirt
