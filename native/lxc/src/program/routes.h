// Routes of a container that liblxc's configuration has no words for.
#pragma once

#include "liblxc.h"

namespace covirt {

// Lets the monitor set these routes, `LINK,DESTINATION/PREFIX,GATEWAY,METRIC` each, at each boot of the container before its
// init is executed; a boot fails where that does. `routes` ends with a null.
bool SetRoutesAtStart(lxc_container *container, char **routes);

// What that hook runs: sets `count` routes in the network namespace of the process LXC_PID. Returns the exit code.
int Routes(int count, char **routes);

}  // namespace covirt
