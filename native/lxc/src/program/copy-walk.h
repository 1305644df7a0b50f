#pragma once

#include <dirent.h>
#include <stddef.h>
#include <sys/stat.h>

namespace covirt {

// A directory that is being copied.
struct CopyFrame {
  DIR *names;  // null while it is closed, and then at `place`
  long place;
  int to;  // its copy, -1 while it is closed
  struct statx info;
  dev_t to_device;
  ino_t to_inode;
  mode_t born;  // of the copy
  char *name;   // in the directory above
};

// The way from the top of a tree down to the directory that is being copied. Of those far above the descriptors are closed, and found
// again by `..`: only what is the same directory still is taken for it.
class CopyWay {
 public:
  // Takes both descriptors and goes on with this directory. False with errno.
  bool Enter(int from, int to, const struct statx &info, mode_t born, const char *name);

  // Opens the one above again, if it was closed. False with errno; ESTALE where it is another one now.
  bool OpenAbove();

  // Goes on with the one above.
  void Leave();

  bool IsEmpty() const { return depth_ == 0; }
  bool IsTop() const { return depth_ == 1; }
  CopyFrame &Here() { return frames_[depth_ - 1]; }
  const CopyFrame &Top() const { return frames_[0]; }

  // Puts the end of the path of `name` in this directory in `path`.
  void Describe(const char *from, const char *name, char *path, size_t size) const;

 private:
  CopyFrame *frames_ = nullptr;
  size_t depth_ = 0;
  size_t room_ = 0;
};

// As fstatat(2), of what `fd` is itself where `name` is empty.
bool StatAt(int fd, const char *name, struct statx *info);

}  // namespace covirt
