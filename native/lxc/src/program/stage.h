// The file systems of a container, made ready in a mount namespace of this program's own, which the container's
// monitor inherits: nothing of it is seen on the host, and the kernel takes it away with the monitor.
#pragma once

#include <stddef.h>

#include <lxc/lxccontainer.h>

#include "program/options.h"

namespace covirt {

// Makes all of options.stages ready and points the container's configuration to them. False, with a sentence in
// `reason` and the cause in errno, where one of them cannot be had.
bool PrepareStages(lxc_container *container, const Options &options, char *reason, size_t reason_size);

// The first of options.stages, read-only if that is to be, and attached nowhere: a descriptor, or -1 as above. The mount
// namespace is one of our own by then.
int OpenStage(lxc_container *container, const Options &options, char *reason, size_t reason_size);

}  // namespace covirt
