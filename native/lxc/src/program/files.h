// The files of a container, by paths that never lead out of its root.
#pragma once

#include <stdio.h>
#include <sys/stat.h>

#include "program/options.h"

namespace covirt {

// Where paths begin. Everything goes through openat2(2) with RESOLVE_IN_ROOT: the kernel follows links as within
// the container, also while somebody changes them.
class Root {
 public:
  // By the directory of a container that does not run.
  bool OpenDirectory(const char *path, const Options &options);

  // By the init of one that runs: enters its user and mount namespaces, so that what is done is done as its root.
  // With `mounts` what is mounted there may be changed, too.
  bool Enter(int init_pidfd, bool mounts = false);

  // Opens without following magic links (proc(5)); -1 with errno.
  int Open(const char *path, int flags) const;

  // The directory that a name is in, and the name, both with links resolved: the name is no link then, or is not
  // there. `path` is changed. -1 with errno.
  int OpenParent(char *path, char *name, bool follow) const;

  // An opened path (O_PATH) as what it is: a file alone, which cannot be exchanged any more.
  int Reopen(int path_fd, int flags) const;

  // Between the container's numbers and those on disk: (unsigned)-1 where there is none.
  unsigned OnDisk(unsigned inner, bool group) const;
  unsigned Inside(unsigned on_disk, bool group) const;

 private:
  int fd_ = -1;
  int own_fds_ = -1;
  const char *uids_ = nullptr;
  const char *gids_ = nullptr;
};

}  // namespace covirt
