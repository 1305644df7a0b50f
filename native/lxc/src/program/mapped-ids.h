// A user namespace that exists to be the map of an id-mapped mount (mount_setattr(2)).
#pragma once

#include "program/options.h"

namespace covirt {

// Its descriptor, closed on exec; -1, with errno, where it cannot be made. `idmaps` are lines of lxc.idmap.
int OpenMappedIds(char **idmaps);

}  // namespace covirt
