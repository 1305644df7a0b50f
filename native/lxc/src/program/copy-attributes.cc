#include "program/copy-attributes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace covirt {

namespace {

ssize_t List(FilePlaceAt from, char *names, size_t size) {
  return from.name == nullptr ? flistxattr(from.fd, names, size) : llistxattr(from.name, names, size);
}

ssize_t Get(FilePlaceAt from, const char *attribute, char *value, size_t size) {
  return from.name == nullptr ? fgetxattr(from.fd, attribute, value, size)
                              : lgetxattr(from.name, attribute, value, size);
}

bool Set(FilePlaceAt to, const char *attribute, const char *value, size_t size) {
  if (to.name == nullptr) return fsetxattr(to.fd, attribute, value, size, 0) == 0;
  char path[64 + NAME_MAX];
  snprintf(path, sizeof path, "/proc/self/fd/%d/%s", to.fd, to.name);
  return lsetxattr(path, attribute, value, size, 0) == 0;
}

// Errors that no copy fails of: what the file system cannot keep, and what an ordinary user may not give.
bool Tolerable(const Newborn &newborn) {
  return errno == EOPNOTSUPP || (!newborn.privileged && (errno == EPERM || errno == EACCES));
}

// What a security module gives files by rules of its own.
bool IsLabel(const char *name) {
  return strncmp(name, "security.", 9) == 0 && strcmp(name, "security.capability") != 0;
}

bool CopyXattrs(const Newborn &newborn, FilePlaceAt from, FilePlaceAt to) {
  static char names[XATTR_LIST_MAX];
  static char value[XATTR_SIZE_MAX];
  // The kernel allocates as much as it is offered.
  ssize_t length = List(from, names, 1024);
  if (length < 0 && errno == ERANGE) length = List(from, names, sizeof names);
  if (length < 0) return Tolerable(newborn);
  for (const char *name = names; name < names + length; name += strlen(name) + 1) {
    const ssize_t size = Get(from, name, value, sizeof value);
    // It went meanwhile, or is there in name only, as some of the kernel's own are.
    if (size < 0 && (errno == ENODATA || Tolerable(newborn))) continue;
    if (size < 0) return false;
    if (!Set(to, name, value, static_cast<size_t>(size)) && !Tolerable(newborn) && !IsLabel(name)) return false;
  }
  return true;
}

bool SetOwner(const Newborn &newborn, FilePlaceAt to, const struct statx &info, bool *mine) {
  if (newborn.known && newborn.uid == info.stx_uid && newborn.gid == info.stx_gid) return true;
  const int done = to.name == nullptr ? fchown(to.fd, info.stx_uid, info.stx_gid)
                                      : fchownat(to.fd, to.name, info.stx_uid, info.stx_gid, AT_SYMLINK_NOFOLLOW);
  if (done == 0) return true;
  *mine = true;
  return !newborn.privileged && (errno == EPERM || errno == EINVAL);
}

bool SetMode(FilePlaceAt to, mode_t mode) {
  return (to.name == nullptr ? fchmod(to.fd, mode) : fchmodat(to.fd, to.name, mode, 0)) == 0;
}

bool SetTimes(FilePlaceAt to, const struct statx &info) {
  const struct timespec times[2] = {{info.stx_atime.tv_sec, static_cast<long>(info.stx_atime.tv_nsec)},
                                    {info.stx_mtime.tv_sec, static_cast<long>(info.stx_mtime.tv_nsec)}};
  return (to.name == nullptr ? futimens(to.fd, times) : utimensat(to.fd, to.name, times, AT_SYMLINK_NOFOLLOW)) == 0;
}

bool Apply(const Newborn &newborn, const FilePlaceAt *from, FilePlaceAt to, const struct statx &info, mode_t born) {
  mode_t mode = info.stx_mode & 07777;
  bool mine = false;
  // A new owner takes capabilities and set-ID bits away; an ACL says what its group may, as the mode does; without the right
  // to write, attributes cannot be set.
  if (!SetOwner(newborn, to, info, &mine)) return false;
  if (mine) mode &= ~static_cast<mode_t>(S_ISUID | S_ISGID);
  if (from != nullptr && !CopyXattrs(newborn, *from, to)) return false;
  if (!S_ISLNK(info.stx_mode) && mode != born && !SetMode(to, mode)) return false;
  return SetTimes(to, info);
}

}  // namespace

bool CopyAttributes(const Newborn &newborn, FilePlaceAt from, FilePlaceAt to, const struct statx &info, mode_t born) {
  return Apply(newborn, &from, to, info, born);
}

bool SetAttributes(const Newborn &newborn, FilePlaceAt to, const struct statx &info, mode_t born) {
  return Apply(newborn, nullptr, to, info, born);
}

}  // namespace covirt
