#include "program/loop-device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace covirt {

namespace {

constexpr int kTries = 64;

int Fail(int fd) {
  const int error = errno;
  close(fd);
  errno = error;
  return -1;
}

}  // namespace

int OpenLoopDevice(const char *file, bool read_only, char *device, size_t device_size) {
  const int access = read_only ? O_RDONLY : O_RDWR;
  const int backing = open(file, access | O_CLOEXEC);
  if (backing < 0) return -1;
  const int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
  if (control < 0) return Fail(backing);
  int loop = -1;
  // Others look for a free one at the same time.
  for (int tries = 0; loop < 0 && tries < kTries; tries++) {
    const int number = ioctl(control, LOOP_CTL_GET_FREE);
    if (number < 0) break;
    snprintf(device, device_size, "/dev/loop%d", number);
    const int candidate = open(device, access | O_CLOEXEC);
    if (candidate < 0) break;
    struct loop_config config = {};
    config.fd = static_cast<__u32>(backing);
    config.info.lo_flags = LO_FLAGS_AUTOCLEAR | (read_only ? LO_FLAGS_READ_ONLY : 0);
    snprintf(reinterpret_cast<char *>(config.info.lo_file_name), LO_NAME_SIZE, "%s", file);
    if (ioctl(candidate, LOOP_CONFIGURE, &config) == 0) {
      loop = candidate;
    } else {
      const bool taken = errno == EBUSY;
      Fail(candidate);
      if (!taken) break;
    }
  }
  const int error = errno;
  close(control);
  close(backing);
  errno = error;
  return loop;
}

}  // namespace covirt
