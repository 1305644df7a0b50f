// `covirt-lxc remove PATH`: what Remove does needs neither liblxc nor a container.
#pragma once

namespace covirt {

// Removes what `path` names, if there is anything, with all that is in it, of any depth. Links are removed, not followed. Returns the
// exit code: of a failure after an error line; EBUSY where it comes to something that is mounted.
int Remove(const char *path);

}  // namespace covirt
