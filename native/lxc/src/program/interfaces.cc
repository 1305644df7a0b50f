#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "program/json.h"
#include "program/verbs.h"

namespace covirt {

namespace {

int PrefixLength(const void *mask, size_t bytes) {
  int bits = 0;
  for (size_t i = 0; i < bytes; i++) bits += __builtin_popcount(static_cast<const unsigned char *>(mask)[i]);
  return bits;
}

// The n-th address of the interface; false where `address` is none.
bool WriteAddress(const ifaddrs *address, bool first) {
  const bool is_ipv4 = address->ifa_addr->sa_family == AF_INET;
  if (!is_ipv4 && address->ifa_addr->sa_family != AF_INET6) return false;
  const void *bytes = is_ipv4 ? static_cast<const void *>(&reinterpret_cast<sockaddr_in *>(address->ifa_addr)->sin_addr)
                              : &reinterpret_cast<sockaddr_in6 *>(address->ifa_addr)->sin6_addr;
  int prefix = is_ipv4 ? 32 : 128;
  if (address->ifa_netmask != nullptr) {
    prefix = is_ipv4
                 ? PrefixLength(&reinterpret_cast<sockaddr_in *>(address->ifa_netmask)->sin_addr, sizeof(in_addr))
                 : PrefixLength(&reinterpret_cast<sockaddr_in6 *>(address->ifa_netmask)->sin6_addr, sizeof(in6_addr));
  }
  char text[INET6_ADDRSTRLEN];
  inet_ntop(is_ipv4 ? AF_INET : AF_INET6, bytes, text, sizeof text);
  printf("%s{\"family\":\"%s\",\"address\":\"%s\",\"prefix\":%d}", first ? "" : ",", is_ipv4 ? "ipv4" : "ipv6", text,
         prefix);
  return true;
}

// Each link has one entry of this family, with or without addresses.
void WriteLink(const ifaddrs *all, const ifaddrs *link, bool first) {
  const auto *hardware = reinterpret_cast<const sockaddr_ll *>(link->ifa_addr);
  printf("%s{\"name\":", first ? "" : ",");
  WriteJsonString(stdout, link->ifa_name);
  if (hardware->sll_halen == 6) {
    const unsigned char *mac = hardware->sll_addr;
    printf(",\"mac\":\"%02x:%02x:%02x:%02x:%02x:%02x\"", mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
  }
  printf(",\"addresses\":[");
  bool none = true;
  for (const ifaddrs *each = all; each != nullptr; each = each->ifa_next) {
    if (each->ifa_addr == nullptr || strcmp(each->ifa_name, link->ifa_name) != 0) continue;
    if (WriteAddress(each, none)) none = false;
  }
  printf("]}");
}

}  // namespace

int Interfaces(const Job &job) {
  lxc_container *c = job.container;
  const auto fail = [&](int error, const char *message) {
    return Fail(job.options, job.log, stderr, error, message);
  };
  // A number would be another process's by now if init had ended meanwhile; this would be nobody's.
  const int init = c->is_running(c) ? c->init_pidfd(c) : -1;
  if (init < 0) return fail(ESRCH, "the container is not running");
  if (setns(init, CLONE_NEWNET) != 0) return fail(errno, "its network namespace cannot be entered");
  ifaddrs *all = nullptr;
  if (getifaddrs(&all) != 0) return fail(errno, "its interfaces cannot be listed");
  printf("{\"interfaces\":[");
  bool first = true;
  for (const ifaddrs *each = all; each != nullptr; each = each->ifa_next) {
    if (each->ifa_addr == nullptr || each->ifa_addr->sa_family != AF_PACKET) continue;
    WriteLink(all, each, first);
    first = false;
  }
  printf("]}\n");
  freeifaddrs(all);
  return 0;
}

}  // namespace covirt
