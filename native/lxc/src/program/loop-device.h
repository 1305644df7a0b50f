// Files as block devices.
#pragma once

#include <stddef.h>

namespace covirt {

// Shows the file as a loop device that goes with its last user, and writes its path. The descriptor returned keeps
// it until it is mounted; -1, with errno, where there is none to be had.
int OpenLoopDevice(const char *file, bool read_only, char *device, size_t device_size);

}  // namespace covirt
