// Where the hook of a held start meets the program that starts the container.
#pragma once

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace covirt {

// What the hook says when init stands at its exec. Anything else is the reason why it does not.
constexpr char kHeld[] = "held";

// An abstract name (unix(7)): no file can be left behind, and it ends with the program that starts. That is
// how a hook that liblxc runs again, for a restart of the container, knows that nothing is to be held.
class GateAddress {
 public:
  explicit GateAddress(const char *name) {
    size_t length = strlen(name);
    if (length > sizeof address_.sun_path - 1) length = sizeof address_.sun_path - 1;
    address_.sun_family = AF_UNIX;
    memcpy(address_.sun_path + 1, name, length);
    size_ = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + length);
  }

  const sockaddr *get() const { return reinterpret_cast<const sockaddr *>(&address_); }
  socklen_t size() const { return size_; }

 private:
  sockaddr_un address_ = {};
  socklen_t size_;
};

}  // namespace covirt
