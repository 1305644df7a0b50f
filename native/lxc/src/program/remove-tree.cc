#include "program/remove-tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace covirt {

namespace {

constexpr int kMaxDepth = 256;

bool RemoveBelow(int parent, const char *name, dev_t device, int depth);

// What is in an open directory, which is closed.
bool Empty(int fd, dev_t device, int depth) {
  DIR *directory = fdopendir(fd);
  if (directory == nullptr) return false;
  bool done = true;
  while (const struct dirent *entry = done ? readdir(directory) : nullptr) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    done = RemoveBelow(fd, entry->d_name, device, depth + 1);
  }
  const int error = errno;
  closedir(directory);
  errno = error;
  return done;
}

// A directory that nothing is mounted on: what is shown there from elsewhere is not ours to remove, though it may well be of
// the same device.
int OpenUnmounted(int parent, const char *name) {
  struct open_how how = {};
  how.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS;
  for (;;) {
    const int fd = static_cast<int>(syscall(SYS_openat2, parent, name, &how, sizeof how));
    if (fd < 0 && errno == EAGAIN) continue;
    if (fd < 0 && errno == EXDEV) errno = EBUSY;
    return fd;
  }
}

bool RemoveBelow(int parent, const char *name, dev_t device, int depth) {
  if (unlinkat(parent, name, 0) == 0 || errno == ENOENT) return true;
  if (errno != EISDIR) return false;
  const int fd = OpenUnmounted(parent, name);
  struct stat stat;
  if (fd < 0 || fstat(fd, &stat) != 0) return false;
  if (stat.st_dev != device || depth > kMaxDepth) {
    close(fd);
    errno = depth > kMaxDepth ? ELOOP : EBUSY;
    return false;
  }
  return Empty(fd, device, depth) && unlinkat(parent, name, AT_REMOVEDIR) == 0;
}

}  // namespace

bool RemoveTree(int parent, const char *name, dev_t device) { return RemoveBelow(parent, name, device, 0); }

}  // namespace covirt
