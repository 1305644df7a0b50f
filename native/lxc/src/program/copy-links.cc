#include "program/copy-links.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "program/copy-target.h"

namespace covirt {

namespace {

struct Key {
  char text[64];

  explicit Key(const struct statx &info) {
    snprintf(text, sizeof text, "%x-%x-%llx", info.stx_dev_major, info.stx_dev_minor,
             static_cast<unsigned long long>(info.stx_ino));
  }
};

}  // namespace

int LinkedFiles::Link(const struct statx &info, int directory, const char *name) {
  if (kept_ < 0) return 0;
  const Key key(info);
  if (linkat(kept_, key.text, directory, name, 0) == 0) return 1;
  // As many names as the file system lets a file have: this is the last.
  if (errno == EMLINK && renameat(kept_, key.text, directory, name) == 0) return 1;
  return errno == ENOENT ? 0 : -1;
}

bool LinkedFiles::Keep(const struct statx &info, int directory, const char *name) {
  if (kept_ < 0) {
    if (!MakeRandomDirectory(root_, place_, sizeof place_)) return false;
    kept_ = openat(root_, place_, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (kept_ < 0) return false;
  }
  return linkat(directory, name, kept_, Key(info).text, 0) == 0;
}

bool LinkedFiles::Forget() {
  if (kept_ < 0) return true;
  DIR *names = fdopendir(kept_);
  if (names == nullptr) return false;
  bool done = true;
  while (const struct dirent *entry = done ? readdir(names) : nullptr) {
    if (entry->d_name[0] != '.') done = unlinkat(kept_, entry->d_name, 0) == 0;
  }
  const int error = errno;
  closedir(names);
  kept_ = -1;
  errno = error;
  return done && unlinkat(root_, place_, AT_REMOVEDIR) == 0;
}

}  // namespace covirt
