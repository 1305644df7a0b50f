#include "program/remove.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "program/parent-of.h"
#include "program/remove-tree.h"
#include "program/verbs.h"

namespace covirt {

namespace {

bool RemovePath(const char *path) {
  char name[NAME_MAX + 1];
  struct stat stat;
  const int parent = OpenParentOf(path, name);
  return parent >= 0 && fstatat(parent, name, &stat, AT_SYMLINK_NOFOLLOW) == 0 &&
         RemoveTree(parent, name, stat.st_dev);
}

}  // namespace

int Remove(const char *path) {
  if (RemovePath(path) || errno == ENOENT) return 0;
  const int error = errno;
  Options options;
  options.verb = "remove";
  char message[PATH_MAX + 256];
  snprintf(message, sizeof message, "%s: %s", path, strerror(error));
  return Fail(options, Log(), stderr, error, message);
}

}  // namespace covirt
