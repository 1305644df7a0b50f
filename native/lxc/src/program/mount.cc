#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "program/files.h"
#include "program/mount-calls.h"
#include "program/stage.h"
#include "program/verbs.h"

namespace covirt {

namespace {

// MNT_DETACH: sys/mount.h cannot be had together with linux/mount.h
constexpr int kDetach = 2;

// Makes what is missing of the directories above and, last, what is mounted on; a path in the container, opened.
int MakePoint(const Root &root, const char *target, bool is_directory) {
  char path[PATH_MAX];
  if (strlen(target) >= sizeof path) return (errno = ENAMETOOLONG, -1);
  for (const char *end = strchr(target + 1, '/');; end = strchr(end + 1, '/')) {
    const size_t length = end == nullptr ? strlen(target) : static_cast<size_t>(end - target);
    memcpy(path, target, length);
    path[length] = '\0';
    const int known = root.Open(path, O_PATH);
    if (known >= 0 && end == nullptr) return known;
    if (known >= 0) {
      close(known);
      continue;
    }
    char name[NAME_MAX + 1];
    const int parent = root.OpenParent(path, name, true);
    if (parent < 0) return -1;
    const int file = is_directory || end != nullptr
                         ? -1
                         : openat(parent, name, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
    const bool made = is_directory || end != nullptr ? mkdirat(parent, name, 0755) == 0 : file >= 0;
    const int error = errno;
    if (file >= 0) close(file);
    close(parent);
    if (!made) return (errno = error, -1);
    if (end == nullptr) return root.Open(target, O_PATH);
  }
}

bool Attach(const Root &root, int tree, const char *target) {
  struct stat top;
  if (fstat(tree, &top) != 0) return false;
  const int point = MakePoint(root, target, S_ISDIR(top.st_mode));
  if (point < 0) return false;
  const bool attached =
      syscall(SYS_move_mount, tree, "", point, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) == 0;
  const int error = errno;
  close(point);
  errno = error;
  return attached;
}

// A file that was made to be mounted on goes, too.
bool Detach(const Root &root, const char *target, bool lazily) {
  char path[PATH_MAX];
  char name[NAME_MAX + 1];
  snprintf(path, sizeof path, "%s", target);
  const int parent = root.OpenParent(path, name, true);
  if (parent < 0) return errno == ENOENT;
  // Relative to a directory that nobody can exchange; the name is no link.
  if (fchdir(parent) != 0) return false;
  struct stat before, after;
  if (fstatat(parent, name, &before, AT_SYMLINK_NOFOLLOW) != 0) return errno == ENOENT;
  if (syscall(SYS_umount2, name, (lazily ? kDetach : 0) | 8 /* UMOUNT_NOFOLLOW */) != 0 && errno != EINVAL) return false;
  const bool is_made = fstatat(parent, name, &after, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(after.st_mode) &&
                       after.st_size == 0 && !S_ISREG(before.st_mode);
  if (is_made) unlinkat(parent, name, 0);
  close(parent);
  return true;
}

}  // namespace

int Mount(const Job &job) {
  lxc_container *c = job.container;
  char **argv = job.options.argv;
  const auto fail = [&](int error, const char *message) {
    return Fail(job.options, job.log, stderr, error, message);
  };
  const bool adds = argv != nullptr && strcmp(argv[0], "add") == 0;
  const bool removes = argv != nullptr && (strcmp(argv[0], "remove") == 0 || strcmp(argv[0], "remove-lazily") == 0);
  if ((!adds && !removes) || argv[1] == nullptr || *argv[1] != '/') return fail(EINVAL, "there is nothing to mount");
  const int init = c->is_running(c) ? c->init_pidfd(c) : -1;
  if (init < 0) return fail(ESRCH, "the container is not running");
  char reason[PATH_MAX + 256];
  const int tree = adds ? OpenStage(c, job.options, reason, sizeof reason) : -1;
  if (adds && tree < 0) return fail(errno, reason);
  Root root;
  if (!root.Enter(init, true)) return fail(errno, "the container cannot be entered");
  const bool done = adds ? Attach(root, tree, argv[1]) : Detach(root, argv[1], strcmp(argv[0], "remove-lazily") == 0);
  if (!done) {
    const int error = errno;
    snprintf(reason, sizeof reason, "%s cannot be %s: %s", argv[1], adds ? "mounted on" : "unmounted", strerror(error));
    return fail(error, reason);
  }
  printf("{\"done\":true}\n");
  return 0;
}

}  // namespace covirt
