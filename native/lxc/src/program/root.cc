#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "program/files.h"

namespace covirt {

namespace {

constexpr int kMaxLinks = 40;

// All that is needed for the files of others, and nothing that makes devices or changes the system; with `more`, what
// that says.
bool KeepFileCapabilities(unsigned more = 0) {
  const unsigned kept = 1u << CAP_CHOWN | 1u << CAP_DAC_OVERRIDE | 1u << CAP_DAC_READ_SEARCH | 1u << CAP_FOWNER |
                        1u << CAP_FSETID | more;
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct data[2] = {{kept, kept, 0}, {0, 0, 0}};
  return syscall(SYS_capset, &header, data) == 0;
}

// `map` is "FIRST:ON-DISK:COUNT,…"; null for the same numbers.
unsigned Translate(const char *map, unsigned id, bool to_disk) {
  if (map == nullptr) return id;
  unsigned first, on_disk, count;
  for (const char *at = map; sscanf(at, "%u:%u:%u", &first, &on_disk, &count) == 3;) {
    const unsigned from = to_disk ? first : on_disk;
    if (id >= from && id - from < count) return (to_disk ? on_disk : first) + (id - from);
    at = strchr(at, ',');
    if (at++ == nullptr) break;
  }
  return static_cast<unsigned>(-1);
}

}  // namespace

bool Root::OpenDirectory(const char *path, const Options &options) {
  uids_ = options.uid_map;
  gids_ = options.gid_map;
  own_fds_ = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
  fd_ = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  umask(0);
  return own_fds_ >= 0 && fd_ >= 0 && KeepFileCapabilities();
}

bool Root::Enter(int init_pidfd, bool mounts) {
  own_fds_ = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (own_fds_ < 0) return false;
  // Its root may not look at us from within: until the numbers have changed we are more than it.
  prctl(PR_SET_DUMPABLE, 0);
  if (setgroups(0, nullptr) != 0) return false;
  // EINVAL: it has the user namespace that we have.
  if (setns(init_pidfd, CLONE_NEWUSER) == 0) {
    if (setresgid(0, 0, 0) != 0 || setresuid(0, 0, 0) != 0) return false;
  } else if (errno != EINVAL) {
    return false;
  }
  // What /proc shows depends on these, too. One that is the host's own stays so.
  static const int others[] = {CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWCGROUP};
  for (const int other : others) {
    if (setns(init_pidfd, other) != 0) continue;
  }
  if (setns(init_pidfd, CLONE_NEWNS) != 0) return false;
  fd_ = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
  umask(0);
  return fd_ >= 0 && KeepFileCapabilities(mounts ? 1u << CAP_SYS_ADMIN : 0);
}

int Root::Open(const char *path, int flags) const {
  struct open_how how = {};
  how.flags = static_cast<unsigned>(flags | O_CLOEXEC);
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  for (;;) {
    const int fd = static_cast<int>(syscall(SYS_openat2, fd_, path, &how, sizeof how));
    // Something was renamed meanwhile, and the kernel cannot tell whether the path left the root.
    if (fd >= 0 || errno != EAGAIN) return fd;
  }
}

int Root::OpenParent(char *path, char *name, bool follow) const {
  for (int links = 0; links <= kMaxLinks; links++) {
    for (size_t end = strlen(path); end > 1 && path[end - 1] == '/'; end--) path[end - 1] = '\0';
    char *slash = strrchr(path, '/');
    if (slash == nullptr || strlen(slash + 1) > NAME_MAX) {
      errno = slash == nullptr ? EINVAL : ENAMETOOLONG;
      return -1;
    }
    strcpy(name, slash + 1);
    if (*name == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
      errno = EISDIR;
      return -1;
    }
    slash[1] = '\0';
    const int parent = Open(path, O_PATH | O_DIRECTORY);
    if (parent < 0 || !follow) return parent;
    char target[PATH_MAX];
    const ssize_t length = readlinkat(parent, name, target, sizeof target - 1);
    if (length < 0) return parent;
    close(parent);
    target[length] = '\0';
    if (*target == '/') *path = '\0';
    if (strlen(path) + strlen(target) >= PATH_MAX) {
      errno = ENAMETOOLONG;
      return -1;
    }
    strcat(path, target);
  }
  errno = ELOOP;
  return -1;
}

int Root::Reopen(int path_fd, int flags) const {
  char number[16];
  snprintf(number, sizeof number, "%d", path_fd);
  return openat(own_fds_, number, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

unsigned Root::OnDisk(unsigned inner, bool group) const { return Translate(group ? gids_ : uids_, inner, true); }

unsigned Root::Inside(unsigned on_disk, bool group) const {
  const unsigned inner = Translate(group ? gids_ : uids_, on_disk, false);
  // What the kernel shows for it, too (user_namespaces(7)).
  return inner == static_cast<unsigned>(-1) ? 65534 : inner;
}

}  // namespace covirt
