#pragma once

#include <stddef.h>

namespace covirt {

// Makes the directory `path`, which must not exist, for nobody but its owner, and opens it; -1 with errno. Where the file system
// has groups of blocks, it has one that has room (see chattr(1), attribute T).
int MakeTarget(const char *path);

// An empty directory in `parent` with a name that cannot be foreseen, which is put in `name`. False with errno.
bool MakeRandomDirectory(int parent, char *name, size_t size);

}  // namespace covirt
