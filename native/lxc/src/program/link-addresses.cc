#include "program/link-addresses.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>

#include "program/netlink.h"

namespace covirt {

namespace {

struct Address {
  unsigned char family;
  unsigned char prefix;
  size_t size;
  unsigned char bytes[16];
};

// ADDRESS or ADDRESS/PREFIX.
bool ParseAddress(const char *text, unsigned char family, Address *address) {
  char copy[INET6_ADDRSTRLEN + 4];
  if (strlen(text) >= sizeof copy) return (errno = EINVAL, false);
  strcpy(copy, text);
  char *slash = strchr(copy, '/');
  if (slash != nullptr) *slash = '\0';
  address->family = family;
  address->size = family == AF_INET ? 4 : 16;
  address->prefix = static_cast<unsigned char>(slash == nullptr ? address->size * 8 : strtoul(slash + 1, nullptr, 10));
  if (inet_pton(family, copy, address->bytes) == 1) return true;
  errno = EINVAL;
  return false;
}

bool AddAddress(unsigned index, const Address &address) {
  ifaddrmsg head = {};
  head.ifa_family = address.family;
  head.ifa_prefixlen = address.prefix;
  head.ifa_index = index;
  Request request(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &head, sizeof head);
  request.Add(IFA_LOCAL, address.bytes, address.size);
  request.Add(IFA_ADDRESS, address.bytes, address.size);
  if (address.family == AF_INET && address.prefix < 31) {
    const unsigned host = htonl(0xffffffffu >> address.prefix);
    unsigned broadcast;
    memcpy(&broadcast, address.bytes, sizeof broadcast);
    request.AddNumber(IFA_BROADCAST, broadcast | host);
  }
  return request.Send();
}

bool AddGateway(unsigned index, const Address &gateway) {
  rtmsg head = {};
  head.rtm_family = gateway.family;
  head.rtm_table = RT_TABLE_MAIN;
  head.rtm_protocol = RTPROT_BOOT;
  head.rtm_scope = RT_SCOPE_UNIVERSE;
  head.rtm_type = RTN_UNICAST;
  Request request(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, &head, sizeof head);
  request.Add(RTA_GATEWAY, gateway.bytes, gateway.size);
  request.AddNumber(RTA_OIF, index);
  return request.Send();
}

}  // namespace

unsigned LinkIndex(const char *name) {
  const unsigned index = if_nametoindex(name);
  if (index == 0) errno = ENODEV;
  return index;
}

bool SetLinkUp(unsigned index, bool up) {
  ifinfomsg head = {};
  head.ifi_index = static_cast<int>(index);
  head.ifi_flags = up ? IFF_UP : 0;
  head.ifi_change = IFF_UP;
  return Request(RTM_NEWLINK, 0, &head, sizeof head).Send();
}

bool ConfigureLink(const Words &words) {
  const unsigned index = LinkIndex(words.Find("name"));
  if (index == 0) return false;
  if (words.Is("flags", "up") && !SetLinkUp(index, true)) return false;
  struct Family {
    const char *address;
    const char *gateway;
    unsigned char family;
  };
  static const Family families[] = {{"ipv4.address", "ipv4.gateway", AF_INET},
                                    {"ipv6.address", "ipv6.gateway", AF_INET6}};
  for (const Family &each : families) {
    Address address;
    const char *text;
    for (int nth = 0; (text = words.Find(each.address, nth)) != nullptr; nth++) {
      if (!ParseAddress(text, each.family, &address) || !AddAddress(index, address)) return false;
    }
    for (int nth = 0; (text = words.Find(each.gateway, nth)) != nullptr; nth++) {
      if (!ParseAddress(text, each.family, &address) || !AddGateway(index, address)) return false;
    }
  }
  return true;
}

}  // namespace covirt
