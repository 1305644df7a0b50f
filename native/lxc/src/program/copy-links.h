#pragma once

#include <sys/stat.h>

namespace covirt {

// What has several names in a tree that is copied: its copy has one more in a directory below the copy until all is done. So
// neither paths nor numbers of files need be kept in memory.
class LinkedFiles {
 public:
  // Below `root`, an empty directory, which stays open.
  explicit LinkedFiles(int root) : root_(root) {}

  // Gives the copy of the file that `info` is of, if there is one, the name too; 1, 0 if there is none, -1 with errno.
  int Link(const struct statx &info, int directory, const char *name);

  // The copy of the file that `info` is of. False with errno.
  bool Keep(const struct statx &info, int directory, const char *name);

  // Takes the names away again. False with errno.
  bool Forget();

 private:
  int root_;
  int kept_ = -1;
  char place_[48];
};

}  // namespace covirt
