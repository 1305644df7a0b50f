// What a file is besides its data.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

namespace covirt {

// What all files of a copy are when they are made.
struct Newborn {
  bool privileged;  // may give files to others
  bool known;       // the owners that follow are those of whatever is made
  uid_t uid;
  gid_t gid;
};

// Where a file is: an open one, or by its name in an open directory.
struct FilePlaceAt {
  int fd;
  const char *name;  // null for `fd` itself
};

// Gives `to`, which was made with the mode `born`, the owner, mode and times that `info` says and the extended attributes of
// `from`, in an order that keeps them. A `from` with a name is in the working directory. False with errno.
bool CopyAttributes(const Newborn &newborn, FilePlaceAt from, FilePlaceAt to, const struct statx &info, mode_t born);

// As CopyAttributes, without extended attributes.
bool SetAttributes(const Newborn &newborn, FilePlaceAt to, const struct statx &info, mode_t born);

}  // namespace covirt
