#include "program/copy-data.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace covirt {

namespace {

// Read and written, what is small is copied with fewer calls.
constexpr off_t kSmall = 128 * 1024;
// A call goes on where its process is killed: this much at once.
constexpr off_t kLargest = 16 * 1024 * 1024;

// Of one pair of file systems, not of a file.
bool IsNoWay(int error) {
  return error == EOPNOTSUPP || error == ENOTTY || error == EXDEV || error == ENOSYS || error == EPERM;
}

// Up to `length` bytes; how many, 0 at the end of the file, or -1.
ssize_t CopyThroughHere(int from, int to, off_t at, off_t length) {
  static char buffer[kSmall];
  const ssize_t got = pread(from, buffer, static_cast<size_t>(length < kSmall ? length : kSmall), at);
  for (ssize_t done = 0; done < got;) {
    const ssize_t written = pwrite(to, buffer + done, static_cast<size_t>(got - done), at + done);
    if (written < 0) return -1;
    done += written;
  }
  return got;
}

ssize_t CopySome(DataWays *ways, int from, int to, off_t at, off_t length) {
  if (ways->range && length > kSmall) {
    off64_t in = at, out = at;
    const ssize_t copied =
        copy_file_range(from, &in, to, &out, static_cast<size_t>(length < kLargest ? length : kLargest), 0);
    if (copied > 0) return copied;
    if (copied < 0 && IsNoWay(errno)) ways->range = false;
    // EINVAL: not of this file. Nothing at all: some file systems do that where they have more.
    if (copied < 0 && ways->range && errno != EINVAL) return -1;
  }
  return CopyThroughHere(from, to, at, length);
}

// A file that shrinks meanwhile ends where it does.
bool CopyRange(DataWays *ways, int from, int to, off_t at, off_t end) {
  while (at < end) {
    const ssize_t copied = CopySome(ways, from, to, at, end - at);
    if (copied < 0) return false;
    if (copied == 0) return true;
    at += copied;
  }
  return true;
}

bool CopyAroundHoles(DataWays *ways, int from, int to, off_t size) {
  for (off_t at = 0; at < size;) {
    const off_t data = lseek(from, at, SEEK_DATA);
    if (data < 0 && errno == ENXIO) break;
    // The file system does not tell them.
    if (data < 0) return errno == EINVAL && CopyRange(ways, from, to, at, size);
    const off_t hole = lseek(from, data, SEEK_HOLE);
    const off_t end = hole < 0 || hole > size ? size : hole;
    if (!CopyRange(ways, from, to, data, end)) return false;
    at = end;
  }
  return ftruncate(to, size) == 0;
}

}  // namespace

bool CopyData(DataWays *ways, int from, int to, const struct statx &info) {
  const off_t size = static_cast<off_t>(info.stx_size);
  if (size == 0) return true;
  if (ways->clone) {
    if (ioctl(to, FICLONE, from) == 0) return true;
    if (IsNoWay(errno)) ways->clone = false;
  }
  const bool holes = static_cast<off_t>(info.stx_blocks) * 512 < size;
  if (!(holes ? CopyAroundHoles(ways, from, to, size) : CopyRange(ways, from, to, 0, size))) return false;
  // It goes to the disk while the rest is copied: who then waits for that (syncfs(2)) waits a third as long.
  if (size >= kSmall) sync_file_range(to, 0, 0, SYNC_FILE_RANGE_WRITE);
  return true;
}

}  // namespace covirt
