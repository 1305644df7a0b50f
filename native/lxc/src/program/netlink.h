// Requests of rtnetlink(7), one at a time.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <linux/rtnetlink.h>

namespace covirt {

struct Answer;

// A request with its attributes. What does not fit makes Send fail with E2BIG.
class Request {
 public:
  // `body` is what follows the header: an ifinfomsg, ifaddrmsg or rtmsg.
  Request(uint16_t type, uint16_t flags, const void *body, size_t size);

  void Add(uint16_t attribute, const void *data, size_t size);
  void AddText(uint16_t attribute, const char *text);
  void AddNumber(uint16_t attribute, uint32_t number);
  // Attributes from here to End are within this one, as are `size` bytes before them.
  size_t Begin(uint16_t attribute, const void *head = nullptr, size_t size = 0);
  void End(size_t begun);

  // In the network namespace that we are in. False, with errno.
  bool Send();
  // As Send; the first message of what the kernel tells.
  bool Ask(Answer *answer);

 private:
  void Append(const void *data, size_t size);

  alignas(NLMSG_ALIGNTO) char bytes_[2048] = {};
  size_t length_ = 0;
  bool is_full_ = false;
};

// Whether the link with this index is of this kind, such as veth; null for a device, which has none. False with errno,
// ENODEV where it is another.
bool IsKind(unsigned index, const char *kind);

// The other end of a pair, or what a macvlan link is on, by its index in the network namespace that it is in; 0 with errno.
unsigned PeerOf(unsigned index);

}  // namespace covirt
