// Passing a descriptor through a unix socket (unix(7), SCM_RIGHTS).
#pragma once

namespace covirt {

// With one byte of data, 0. `flags` are those of send(2); it is never interrupted, and never raises SIGPIPE.
// False, with errno.
bool SendFd(int socket, int fd, int flags);

}  // namespace covirt
