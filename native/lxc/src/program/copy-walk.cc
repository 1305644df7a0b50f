#include "program/copy-walk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

namespace covirt {

namespace {

constexpr size_t kOpenFrames = 32;

int OpenUp(int below) { return openat(below, "..", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC); }

bool IsSame(const struct statx &one, const struct statx &other) {
  return one.stx_ino == other.stx_ino && one.stx_dev_major == other.stx_dev_major &&
         one.stx_dev_minor == other.stx_dev_minor;
}

// False with errno, and then nothing is open.
bool Reopen(CopyFrame *frame, const CopyFrame &below) {
  struct statx info;
  struct stat stat;
  const int from = OpenUp(dirfd(below.names));
  const int to = OpenUp(below.to);
  bool same = from >= 0 && to >= 0 && StatAt(from, "", &info) && fstat(to, &stat) == 0;
  if (same && !(IsSame(info, frame->info) && stat.st_dev == frame->to_device && stat.st_ino == frame->to_inode)) {
    same = false;
    errno = ESTALE;
  }
  frame->names = same ? fdopendir(from) : nullptr;
  if (frame->names == nullptr) {
    const int error = errno;
    if (from >= 0) close(from);
    if (to >= 0) close(to);
    errno = error;
    return false;
  }
  seekdir(frame->names, frame->place);
  frame->to = to;
  return true;
}

void Close(CopyFrame *frame) {
  frame->place = telldir(frame->names);
  closedir(frame->names);
  close(frame->to);
  frame->names = nullptr;
  frame->to = -1;
}

}  // namespace

bool StatAt(int fd, const char *name, struct statx *info) {
  const int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (*name == '\0' ? AT_EMPTY_PATH : 0);
  return statx(fd, name, flags, STATX_BASIC_STATS, info) == 0;
}

bool CopyWay::Enter(int from, int to, const struct statx &info, mode_t born, const char *name) {
  if (depth_ == room_) {
    const size_t room = room_ == 0 ? 2 * kOpenFrames : 2 * room_;
    void *frames = realloc(frames_, room * sizeof(CopyFrame));
    if (frames == nullptr) return false;
    frames_ = static_cast<CopyFrame *>(frames);
    room_ = room;
  }
  struct stat stat;
  if (fstat(to, &stat) != 0) return false;
  char *own_name = strdup(name);
  DIR *names = own_name == nullptr ? nullptr : fdopendir(from);
  if (names == nullptr) return false;
  if (depth_ >= kOpenFrames && frames_[depth_ - kOpenFrames].names != nullptr) Close(&frames_[depth_ - kOpenFrames]);
  frames_[depth_++] = {names, 0, to, info, stat.st_dev, stat.st_ino, born, own_name};
  return true;
}

bool CopyWay::OpenAbove() {
  if (depth_ < 2) return true;
  CopyFrame *above = &frames_[depth_ - 2];
  return above->names != nullptr || Reopen(above, Here());
}

void CopyWay::Leave() {
  Close(&Here());
  free(Here().name);
  depth_--;
}

void CopyWay::Describe(const char *from, const char *name, char *path, size_t size) const {
  // From its end, which says most where there is no room for all.
  char *at = path + size - 1;
  *at = '\0';
  const auto prepend = [&](const char *word) {
    const size_t length = strlen(word);
    if (static_cast<size_t>(at - path) < length + 1) return false;
    at -= length;
    memcpy(at, word, length);
    if (word != from) *--at = '/';
    return true;
  };
  bool whole = *name == '\0' || prepend(name);
  for (size_t depth = depth_; whole && depth > 1; depth--) whole = prepend(frames_[depth - 1].name);
  if (whole) whole = prepend(from);
  memmove(path, at, strlen(at) + 1);
}

}  // namespace covirt
