// Ids of a container's user namespace, as the host counts them (user_namespaces(7)).
#pragma once

#include <sys/types.h>

namespace covirt {

// `map` is uid_map or gid_map. (unsigned)-1, which chown(2) leaves alone, where the id has none.
unsigned HostId(pid_t process, const char *map, unsigned inner);

}  // namespace covirt
