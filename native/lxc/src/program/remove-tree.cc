#include "program/remove-tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace covirt {

namespace {

// Of directories further above the descriptors are closed: a tree may be deeper than a process may have open files.
constexpr size_t kOpenLevels = 32;

// A directory that is being emptied.
struct Level {
  DIR *names;  // null while it is closed
  dev_t device;
  ino_t inode;
  char name[NAME_MAX + 1];  // in the one above
};

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

class Emptying {
 public:
  Emptying(int parent, dev_t device) : parent_(parent), device_(device) {}
  ~Emptying() {
    const int error = errno;
    for (; depth_ > 0; depth_--) Close(&levels_[depth_ - 1]);
    free(levels_);
    errno = error;
  }
  Emptying(const Emptying &) = delete;
  Emptying &operator=(const Emptying &) = delete;

  // What has this name, with all that is in it.
  bool Remove(const char *name) {
    if (!Begin(parent_, name)) return false;
    while (depth_ > 0) {
      DIR *names = levels_[depth_ - 1].names;
      errno = 0;
      const struct dirent *entry = readdir(names);
      if (entry == nullptr) {
        if (errno != 0 || !Finish()) return false;
      } else if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
        if (!Begin(dirfd(names), entry->d_name)) return false;
      }
    }
    return true;
  }

 private:
  static void Close(Level *level) {
    if (level->names != nullptr) closedir(level->names);
    level->names = nullptr;
  }

  // Removes it at once, or goes down into it.
  bool Begin(int directory, const char *name) {
    if (unlinkat(directory, name, 0) == 0 || errno == ENOENT) return true;
    if (errno != EISDIR) return false;
    const int fd = OpenUnmounted(directory, name);
    if (fd < 0) return false;
    if (Enter(fd, name)) return true;
    const int error = errno;
    close(fd);
    errno = error;
    return false;
  }

  bool Enter(int fd, const char *name) {
    struct stat stat;
    if (fstat(fd, &stat) != 0) return false;
    if (stat.st_dev != device_) {
      errno = EBUSY;
      return false;
    }
    if (depth_ == room_) {
      const size_t room = room_ == 0 ? 2 * kOpenLevels : 2 * room_;
      void *levels = realloc(levels_, room * sizeof(Level));
      if (levels == nullptr) return false;
      levels_ = static_cast<Level *>(levels);
      room_ = room;
    }
    Level *level = &levels_[depth_];
    // Before the one above is closed, whose entry `name` may be.
    strcpy(level->name, name);
    level->device = stat.st_dev;
    level->inode = stat.st_ino;
    level->names = fdopendir(fd);
    if (level->names == nullptr) return false;
    depth_++;
    if (depth_ > kOpenLevels) Close(&levels_[depth_ - 1 - kOpenLevels]);
    return true;
  }

  // This directory is empty.
  bool Finish() {
    Level *level = &levels_[depth_ - 1];
    if (depth_ > 1 && !OpenAbove()) return false;
    const int above = depth_ > 1 ? dirfd(levels_[depth_ - 2].names) : parent_;
    if (unlinkat(above, level->name, AT_REMOVEDIR) != 0 && errno != ENOENT) return false;
    Close(level);
    depth_--;
    return true;
  }

  // What is read again from its beginning has lost what was removed.
  bool OpenAbove() {
    Level *above = &levels_[depth_ - 2];
    if (above->names != nullptr) return true;
    const int fd = openat(dirfd(levels_[depth_ - 1].names), "..", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat stat;
    const bool known = fd >= 0 && fstat(fd, &stat) == 0;
    if (known && stat.st_dev == above->device && stat.st_ino == above->inode) above->names = fdopendir(fd);
    if (above->names != nullptr) return true;
    const int error = known ? ESTALE : errno;
    if (fd >= 0) close(fd);
    errno = error;
    return false;
  }

  int parent_;
  dev_t device_;
  Level *levels_ = nullptr;
  size_t depth_ = 0;
  size_t room_ = 0;
};

}  // namespace

bool RemoveTree(int parent, const char *name, dev_t device) { return Emptying(parent, device).Remove(name); }

}  // namespace covirt
