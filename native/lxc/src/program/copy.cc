#include "program/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "program/copy-attributes.h"
#include "program/copy-data.h"
#include "program/copy-links.h"
#include "program/copy-target.h"
#include "program/copy-walk.h"
#include "program/verbs.h"

namespace covirt {

namespace {

constexpr int kOpenFlags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

class TreeCopy {
 public:
  explicit TreeCopy(int target) : links_(target) {}

  // All of it; false with errno, and then Describe says where.
  bool Run(int from, int to);

  void Describe(const char *from, char *path, size_t size) const { way_.Describe(from, name_, path, size); }

 private:
  bool LearnOwners(int to);
  bool CopyNamed(const char *name, unsigned char type);
  bool CopyFile(const char *name);
  bool CopyDirectory(const char *name, const struct statx &info);
  bool CopySymlink(const char *name, const struct statx &info);
  bool CopyNode(const char *name, const struct statx &info);
  bool CopyMountPoint(const char *name, const struct statx &info);
  bool CopyAttributesOf(const char *name, const struct statx &info, mode_t born);
  bool Finish();
  bool IsElsewhere(const struct statx &info) const;

  // What has several names is copied by `copy` the first time only.
  template <typename Copy>
  bool Once(const char *name, const struct statx &info, Copy copy);

  CopyWay way_;
  LinkedFiles links_;
  DataWays ways_;
  Newborn newborn_ = {};
  int here_ = -1;          // which source directory is the working directory
  const char *name_ = "";  // what is being copied
};

bool TreeCopy::LearnOwners(int to) {
  struct stat stat;
  if (fstat(to, &stat) != 0) return false;
  // What is in a directory may get its group from that (mount(8), grpid): the two are the same here.
  newborn_ = {geteuid() == 0, stat.st_gid == getegid(), stat.st_uid, stat.st_gid};
  return true;
}

bool TreeCopy::Run(int from, int to) {
  struct statx info;
  if (!StatAt(from, "", &info) || !LearnOwners(to) || !way_.Enter(from, to, info, 0700, "")) return false;
  while (!way_.IsEmpty()) {
    errno = 0;
    const struct dirent *entry = readdir(way_.Here().names);
    if (entry == nullptr) {
      name_ = "";
      if (errno != 0 || !Finish()) return false;
    } else if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
      name_ = entry->d_name;
      if (!CopyNamed(entry->d_name, entry->d_type)) return false;
    }
  }
  return true;
}

// What is in this directory has been copied. Its times stay from here on, and it may be closed to us.
bool TreeCopy::Finish() {
  const CopyFrame &frame = way_.Here();
  if (way_.IsTop() && !links_.Forget()) return false;
  if (!way_.OpenAbove()) return false;
  const FilePlaceAt from = {dirfd(frame.names), nullptr};
  if (!CopyAttributes(newborn_, from, {frame.to, nullptr}, frame.info, frame.born)) return false;
  way_.Leave();
  here_ = -1;
  return true;
}

bool TreeCopy::CopyNamed(const char *name, unsigned char type) {
  if (type == DT_REG) return CopyFile(name);
  struct statx info;
  if (!StatAt(dirfd(way_.Here().names), name, &info)) return false;
  if (IsElsewhere(info)) return CopyMountPoint(name, info);
  switch (info.stx_mode & S_IFMT) {
    case S_IFREG: return CopyFile(name);
    case S_IFDIR: return CopyDirectory(name, info);
    case S_IFLNK: return Once(name, info, [&] { return CopySymlink(name, info); });
    default: return Once(name, info, [&] { return CopyNode(name, info); });
  }
}

// A mount, or (of directories: an overlay numbers files as it likes) another volume of the file system.
bool TreeCopy::IsElsewhere(const struct statx &info) const {
  const struct statx &top = way_.Top().info;
  return (info.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0 ||
         (S_ISDIR(info.stx_mode) &&
          (info.stx_dev_major != top.stx_dev_major || info.stx_dev_minor != top.stx_dev_minor));
}

template <typename Copy>
bool TreeCopy::Once(const char *name, const struct statx &info, Copy copy) {
  if (info.stx_nlink < 2) return copy();
  const int to = way_.Here().to;
  const int linked = links_.Link(info, to, name);
  if (linked != 0) return linked > 0;
  return copy() && links_.Keep(info, to, name);
}

bool TreeCopy::CopyFile(const char *name) {
  const CopyFrame &frame = way_.Here();
  const int from = openat(dirfd(frame.names), name, kOpenFlags);
  if (from < 0) return false;
  struct statx info;
  bool done = StatAt(from, "", &info);
  if (done && IsElsewhere(info)) {
    close(from);
    return CopyMountPoint(name, info);
  }
  if (done && !S_ISREG(info.stx_mode)) {
    errno = ESTALE;
    done = false;
  }
  done = done && Once(name, info, [&] {
    // Nobody else gets here before all is done: what others may do with it need not be kept from them.
    const mode_t born = (info.stx_mode & 0777) | 0200;
    const int to = openat(frame.to, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, born);
    if (to < 0) return false;
    const bool copied =
        CopyData(&ways_, from, to, info) && CopyAttributes(newborn_, {from, nullptr}, {to, nullptr}, info, born);
    const int error = errno;
    // Some file systems say no sooner that there is no room.
    const bool closed = close(to) == 0;
    if (!copied) errno = error;
    return copied && closed;
  });
  const int error = errno;
  close(from);
  errno = error;
  return done;
}

bool TreeCopy::CopyDirectory(const char *name, const struct statx &info) {
  const CopyFrame &frame = way_.Here();
  const CopyFrame &top = way_.Top();
  if (info.stx_ino == top.to_inode && makedev(info.stx_dev_major, info.stx_dev_minor) == top.to_device) {
    errno = EDEADLK;
    return false;
  }
  const int from = openat(dirfd(frame.names), name, kOpenFlags | O_DIRECTORY);
  struct statx found;
  if (from < 0 || !StatAt(from, "", &found)) return false;
  if (IsElsewhere(found)) {
    close(from);
    return CopyMountPoint(name, found);
  }
  const mode_t born = (found.stx_mode & 0777) | 0700;
  if (mkdirat(frame.to, name, born) != 0) return false;
  const int to = openat(frame.to, name, kOpenFlags | O_DIRECTORY);
  here_ = -1;
  return to >= 0 && way_.Enter(from, to, found, born, name);
}

bool TreeCopy::CopySymlink(const char *name, const struct statx &info) {
  const CopyFrame &frame = way_.Here();
  char target[PATH_MAX + 1];
  const ssize_t length = readlinkat(dirfd(frame.names), name, target, sizeof target);
  if (length < 0) return false;
  if (static_cast<size_t>(length) == sizeof target) {
    errno = ENAMETOOLONG;
    return false;
  }
  target[length] = '\0';
  return symlinkat(target, frame.to, name) == 0 && CopyAttributesOf(name, info, 0);
}

bool TreeCopy::CopyNode(const char *name, const struct statx &info) {
  const mode_t born = info.stx_mode & 0777;
  const dev_t device = makedev(info.stx_rdev_major, info.stx_rdev_minor);
  return mknodat(way_.Here().to, name, (info.stx_mode & S_IFMT) | born, device) == 0 &&
         CopyAttributesOf(name, info, born);
}

bool TreeCopy::CopyMountPoint(const char *name, const struct statx &info) {
  const int to = way_.Here().to;
  struct statx place = info;
  if (S_ISLNK(info.stx_mode)) place.stx_mode = S_IFREG | 0644;
  const mode_t born = place.stx_mode & 0777;
  const int made = S_ISDIR(place.stx_mode) ? mkdirat(to, name, born) : mknodat(to, name, S_IFREG | born, 0);
  return made == 0 && SetAttributes(newborn_, {to, name}, place, born);
}

// Of what cannot be opened. Links and devices have attributes, too, and the kernel tells those by their paths alone.
bool TreeCopy::CopyAttributesOf(const char *name, const struct statx &info, mode_t born) {
  const CopyFrame &frame = way_.Here();
  const int from = dirfd(frame.names);
  if (here_ != from && fchdir(from) != 0) return false;
  here_ = from;
  return CopyAttributes(newborn_, {-1, name}, {frame.to, name}, info, born);
}

int FailAt(const char *path, int error) {
  Options options;
  options.verb = "copy";
  char message[PATH_MAX + 256];
  snprintf(message, sizeof message, "%s: %s", path,
           error == EDEADLK ? "the copy would be in itself"
                          : error == ESTALE || error == ELOOP ? "it changed while it was copied" : strerror(error));
  return Fail(options, Log(), stderr, error, message);
}

}  // namespace

int Copy(const char *from, const char *to) {
  // Whoever comes after a caller that has died removes what there is.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  umask(0);
  const int source = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (source < 0) return FailAt(from, errno);
  const int target = MakeTarget(to);
  if (target < 0) return FailAt(to, errno);
  // The way may close its own.
  TreeCopy copy(fcntl(target, F_DUPFD_CLOEXEC, 0));
  if (copy.Run(source, target)) return 0;
  const int error = errno;
  char path[PATH_MAX];
  copy.Describe(from, path, sizeof path);
  return FailAt(path, error);
}

}  // namespace covirt
