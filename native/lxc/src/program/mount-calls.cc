#include "program/mount-calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

namespace covirt {

namespace {

constexpr unsigned long kSlave = 1UL << 19;  // MS_SLAVE: sys/mount.h cannot be had together with linux/mount.h

bool SetAttributes(int at, const char *path, unsigned flags, const struct mount_attr &attributes) {
  return syscall(SYS_mount_setattr, at, path, flags | AT_RECURSIVE, &attributes, sizeof attributes) == 0;
}

bool Configure(int context, unsigned command, const char *key, const char *value) {
  return syscall(SYS_fsconfig, context, command, key, value, 0) == 0;
}

bool ConfigureAll(int context, const char *const *options, bool read_only) {
  for (const char *const *pair = options; *pair != nullptr; pair += 2) {
    if (!Configure(context, FSCONFIG_SET_STRING, pair[0], pair[1])) return false;
  }
  if (read_only && !Configure(context, FSCONFIG_SET_FLAG, "ro", nullptr)) return false;
  return Configure(context, FSCONFIG_CMD_CREATE, nullptr, nullptr);
}

}  // namespace

int CloneTree(const char *path) {
  return static_cast<int>(
      syscall(SYS_open_tree, AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE));
}

int NewMount(const char *type, const char *const *options, bool read_only) {
  const int context = static_cast<int>(syscall(SYS_fsopen, type, FSOPEN_CLOEXEC));
  if (context < 0) return -1;
  const unsigned attributes = read_only ? MOUNT_ATTR_RDONLY : 0;
  const int tree = ConfigureAll(context, options, read_only)
                       ? static_cast<int>(syscall(SYS_fsmount, context, FSMOUNT_CLOEXEC, attributes))
                       : -1;
  const int error = errno;
  close(context);
  errno = error;
  return tree;
}

bool MapTree(int tree, int user_namespace) {
  struct mount_attr attributes = {};
  attributes.attr_set = MOUNT_ATTR_IDMAP;
  attributes.userns_fd = static_cast<__u64>(user_namespace);
  return SetAttributes(tree, "", AT_EMPTY_PATH, attributes);
}

bool FreezeTree(int tree) {
  struct mount_attr attributes = {};
  attributes.attr_set = MOUNT_ATTR_RDONLY;
  return SetAttributes(tree, "", AT_EMPTY_PATH, attributes);
}

bool ConfineTree(int tree) {
  struct mount_attr attributes = {};
  attributes.attr_set = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
  return SetAttributes(tree, "", AT_EMPTY_PATH, attributes);
}

bool AttachTree(int tree, const char *path) {
  return syscall(SYS_move_mount, tree, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) == 0;
}

bool StopPropagation() {
  struct mount_attr attributes = {};
  attributes.propagation = kSlave;
  return SetAttributes(AT_FDCWD, "/", 0, attributes);
}

}  // namespace covirt
