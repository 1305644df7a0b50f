#include "program/parent-of.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>

namespace covirt {

int OpenParentOf(const char *path, char *name) {
  char copy[PATH_MAX];
  size_t length = strlen(path);
  while (length > 1 && path[length - 1] == '/') length--;
  if (length >= sizeof copy) {
    errno = ENAMETOOLONG;
    return -1;
  }
  memcpy(copy, path, length);
  copy[length] = '\0';
  char *slash = strrchr(copy, '/');
  const char *last = slash == nullptr ? copy : slash + 1;
  if (*last == '\0' || strlen(last) > NAME_MAX) {
    errno = *last == '\0' ? EEXIST : ENAMETOOLONG;
    return -1;
  }
  strcpy(name, last);
  const char *parent = slash == nullptr ? "." : slash == copy ? "/" : copy;
  if (slash != nullptr && slash != copy) *slash = '\0';
  const int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  // Names can be made in what cannot be read.
  return fd >= 0 || errno != EACCES ? fd : open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

}  // namespace covirt
