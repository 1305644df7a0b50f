#pragma once

namespace covirt {

// Opens the directory that `path` is or is to be in, and puts its name there in `name`, which has room for NAME_MAX + 1. -1 with
// errno.
int OpenParentOf(const char *path, char *name);

}  // namespace covirt
