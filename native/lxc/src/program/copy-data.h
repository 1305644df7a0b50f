#pragma once

#include <sys/stat.h>

namespace covirt {

// What the two file systems of a copy have turned out not to do for each other.
struct DataWays {
  bool clone = true;
  bool range = true;
};

// Copies what is in the open file `from`, of the size and blocks that `info` says, to the empty file `to`. Where the file system can
// they share it (ioctl_ficlone(2)); holes stay holes. False with errno.
bool CopyData(DataWays *ways, int from, int to, const struct statx &info);

}  // namespace covirt
