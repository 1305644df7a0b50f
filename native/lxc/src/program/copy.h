// `covirt-lxc copy FROM TO`: what Copy does needs neither liblxc nor a container.
#pragma once

namespace covirt {

// Copies the directory `from`, or that which a link leads to, with all that is in it to `to`, which must not exist: data with
// its holes, shared where the file system can, owners, modes, times, hard links, extended attributes (ACLs and capabilities
// are some) and special files. What is mounted in it is left out: its place is there, empty. Nothing that is in it leads the
// copy out of it, whoever changes it meanwhile; its depth and size cost no memory. Nobody else gets into `to` before it is
// complete. An ordinary user gets what cp(1) gives him: files of others become his, without their set-ID bits.
//
// Ends with the thread that started it. Returns the exit code: of a failure after an error line, whose message begins with the file. What is there of `to` then
// stays.
int Copy(const char *from, const char *to);

}  // namespace covirt
