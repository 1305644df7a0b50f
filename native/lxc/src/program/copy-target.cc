#include "program/copy-target.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "program/parent-of.h"

namespace covirt {

namespace {

// ext4 puts a directory and what comes to be in it near the directory above, and each new file takes a look at all that were
// removed there in the last minutes: where containers come and go, a file costs twenty times what it should. Directories below one
// with this attribute go to groups of blocks that their names choose.
class Spread {
 public:
  explicit Spread(int directory) : directory_(directory) {
    done_ = ioctl(directory, FS_IOC_GETFLAGS, &flags_) == 0 && (flags_ & FS_TOPDIR_FL || Set(flags_ | FS_TOPDIR_FL));
  }
  ~Spread() {
    if (done_ && !(flags_ & FS_TOPDIR_FL)) Set(flags_);
  }
  Spread(const Spread &) = delete;
  Spread &operator=(const Spread &) = delete;
  bool Done() const { return done_; }

 private:
  bool Set(int flags) { return ioctl(directory_, FS_IOC_SETFLAGS, &flags) == 0; }

  int directory_;
  int flags_ = 0;
  bool done_;
};

bool MakeSpread(int parent, const char *name) {
  const Spread spread(parent);
  if (!spread.Done()) return mkdirat(parent, name, 0700) == 0;
  struct stat stat;
  if (fstatat(parent, name, &stat, AT_SYMLINK_NOFOLLOW) == 0) {
    errno = EEXIST;
    return false;
  }
  // The same name would lead to the same group each time.
  char other[48];
  if (!MakeRandomDirectory(parent, other, sizeof other)) return false;
  if (renameat2(parent, other, parent, name, RENAME_NOREPLACE) == 0) return true;
  const int error = errno;
  unlinkat(parent, other, AT_REMOVEDIR);
  errno = error;
  return false;
}

}  // namespace

bool MakeRandomDirectory(int parent, char *name, size_t size) {
  unsigned long long number;
  if (getrandom(&number, sizeof number, 0) != sizeof number) return false;
  snprintf(name, size, ".covirt-%016llx", number);
  return mkdirat(parent, name, 0700) == 0;
}

int MakeTarget(const char *path) {
  char name[NAME_MAX + 1];
  const int parent = OpenParentOf(path, name);
  if (parent < 0) return -1;
  // Who ends this process gets rid of what has the name that was asked for.
  sigset_t all, before;
  sigfillset(&all);
  sigprocmask(SIG_SETMASK, &all, &before);
  const bool made = MakeSpread(parent, name);
  sigprocmask(SIG_SETMASK, &before, nullptr);
  const int fd = made ? openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
  const int error = errno;
  close(parent);
  errno = error;
  if (fd < 0) return -1;
  // What a directory above has given it is nothing of the tree that is copied, nor would it be of what is made in it.
  fremovexattr(fd, "system.posix_acl_default");
  fremovexattr(fd, "system.posix_acl_access");
  return fchmod(fd, 0700) == 0 ? fd : -1;
}

}  // namespace covirt
