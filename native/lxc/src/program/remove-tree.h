#pragma once

#include <sys/types.h>

namespace covirt {

// Removes what has this name in `parent`, with all that is in it; false, with errno: EBUSY where something is mounted in it,
// or is of another device than `device`.
bool RemoveTree(int parent, const char *name, dev_t device);

}  // namespace covirt
