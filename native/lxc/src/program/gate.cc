#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "program/gate-address.h"
#include "program/hold.h"
#include "program/shell-word.h"

namespace covirt {

namespace {

// Hooks inside of the container come before its exec, and may take their time.
constexpr int kPatienceMs = 10 * 1000;

// In which the kernel takes down a process that has closed its gate.
constexpr int kExitMs = 1000;

// Root's containers are not held on the word of others. `pidfd` is of the process at the other end, -1 where that has ended.
bool IsOurs(int socket, int *pidfd) {
  struct ucred peer = {};
  socklen_t size = sizeof peer;
  if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0 || peer.uid != geteuid()) return false;
  *pidfd = static_cast<int>(syscall(SYS_pidfd_open, peer.pid, 0));
  return true;
}

}  // namespace

bool Gate::Open(lxc_container *container) {
  unsigned long long number = 0;
  if (getrandom(&number, sizeof number, 0) != sizeof number) return false;
  char name[64];
  snprintf(name, sizeof name, "covirt-hold-%llx", number);
  GateAddress address(name);
  listener_ = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (listener_ < 0 || bind(listener_, address.get(), address.size()) != 0 || listen(listener_, 8) != 0) return false;
  char exe[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", exe, sizeof exe - 1);
  if (length < 0) return false;
  exe[length] = '\0';
  char quoted[2 * PATH_MAX];
  if (!QuoteWord(exe, quoted, sizeof quoted)) {
    errno = ENAMETOOLONG;
    return false;
  }
  // The monitor keeps the hook for each restart of the container, when this program may have been removed.
  char hook[sizeof quoted + 128];
  snprintf(hook, sizeof hook, "/bin/sh -c '[ ! -x \"$1\" ] || exec \"$1\" hold \"$2\"' - %s %s", quoted, name);
  if (container->set_config_item(container, "lxc.hook.start-host", hook)) return true;
  errno = EINVAL;
  return false;
}

bool Gate::AwaitHeld(char *reason, size_t reason_size) {
  // The hook has been run by now.
  while (holder_ < 0 && (holder_ = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0) {
    if (IsOurs(holder_, &pidfd_)) break;
    close(holder_);
    holder_ = -1;
  }
  close(listener_);
  listener_ = -1;
  if (holder_ < 0) {
    snprintf(reason, reason_size, "the hook that holds its init was not run");
    return false;
  }
  struct pollfd word = {holder_, POLLIN, 0};
  const int ready = poll(&word, 1, kPatienceMs);
  const ssize_t length = ready == 1 ? recv(holder_, reason, reason_size - 1, 0) : 0;
  reason[length > 0 ? length : 0] = '\0';
  if (strcmp(reason, kHeld) == 0) return true;
  if (ready == 0) {
    snprintf(reason, reason_size, "its init was not executed within %d s", kPatienceMs / 1000);
  } else if (length <= 0) {
    snprintf(reason, reason_size, "its init ended before it was executed");
  }
  Release();
  return false;
}

void Gate::Release() {
  if (holder_ < 0) return;
  shutdown(holder_, SHUT_WR);
  char rest[64];
  while (recv(holder_, rest, sizeof rest, 0) > 0) {
  }
  // It is in the monitor's cgroups until its end, and the monitor could not remove them.
  if (pidfd_ >= 0) {
    struct pollfd exited = {pidfd_, POLLIN, 0};
    poll(&exited, 1, kExitMs);
    close(pidfd_);
  }
  close(holder_);
  holder_ = -1;
}

}  // namespace covirt
