#include "program/routes.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "program/shell-word.h"

namespace covirt {

namespace {

struct Address {
  unsigned char family = AF_UNSPEC;
  unsigned short size = 0;
  unsigned char bytes[16] = {};

  bool Parse(const char *text) {
    family = strchr(text, ':') != nullptr ? AF_INET6 : AF_INET;
    size = family == AF_INET6 ? 16 : 4;
    return inet_pton(family, text, bytes) == 1;
  }
};

// LINK,DESTINATION/PREFIX,GATEWAY,METRIC; metric 0 is the kernel's own.
struct Route {
  unsigned link = 0;
  Address destination;
  unsigned prefix = 0;
  Address gateway;
  unsigned metric = 0;

  bool Parse(const char *text) {
    char name[IF_NAMESIZE];
    char to[INET6_ADDRSTRLEN];
    char by[INET6_ADDRSTRLEN];
    errno = EINVAL;
    if (sscanf(text, "%15[^,],%45[^/]/%u,%45[^,],%u", name, to, &prefix, by, &metric) != 5) return false;
    if (!destination.Parse(to) || !gateway.Parse(by)) return false;
    if (destination.family != gateway.family || prefix > destination.size * 8u) return false;
    link = if_nametoindex(name);
    return link != 0;
  }
};

// A message of rtnetlink(7): a route, and attributes of it.
class Request {
 public:
  explicit Request(const Route &route) {
    header_.nlmsg_len = NLMSG_LENGTH(sizeof(rtmsg));
    header_.nlmsg_type = RTM_NEWROUTE;
    header_.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE;
    auto *message = static_cast<rtmsg *>(NLMSG_DATA(&header_));
    message->rtm_family = route.destination.family;
    message->rtm_dst_len = static_cast<unsigned char>(route.prefix);
    message->rtm_table = RT_TABLE_MAIN;
    message->rtm_protocol = RTPROT_STATIC;
    message->rtm_scope = RT_SCOPE_UNIVERSE;
    message->rtm_type = RTN_UNICAST;
    if (route.prefix > 0) Add(RTA_DST, route.destination.bytes, route.destination.size);
    Add(RTA_GATEWAY, route.gateway.bytes, route.gateway.size);
    Add(RTA_OIF, &route.link, sizeof route.link);
    if (route.metric > 0) Add(RTA_PRIORITY, &route.metric, sizeof route.metric);
  }

  // errno tells why not.
  bool Make(int socket) {
    if (send(socket, buffer_, header_.nlmsg_len, 0) < 0) return false;
    alignas(nlmsghdr) char answer[4096];
    const ssize_t length = recv(socket, answer, sizeof answer, 0);
    if (length < static_cast<ssize_t>(NLMSG_LENGTH(sizeof(nlmsgerr)))) return false;
    errno = -static_cast<nlmsgerr *>(NLMSG_DATA(reinterpret_cast<nlmsghdr *>(answer)))->error;
    return errno == 0;
  }

 private:
  void Add(unsigned short type, const void *value, unsigned short size) {
    auto *attribute = reinterpret_cast<rtattr *>(buffer_ + NLMSG_ALIGN(header_.nlmsg_len));
    attribute->rta_type = type;
    attribute->rta_len = static_cast<unsigned short>(RTA_LENGTH(size));
    memcpy(RTA_DATA(attribute), value, size);
    header_.nlmsg_len = NLMSG_ALIGN(header_.nlmsg_len) + RTA_ALIGN(attribute->rta_len);
  }

  alignas(nlmsghdr) char buffer_[256] = {};
  nlmsghdr &header_ = *reinterpret_cast<nlmsghdr *>(buffer_);
};

bool EnterNetwork(const char *pid) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/ns/net", pid == nullptr ? 0 : atoi(pid));
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  const bool entered = fd >= 0 && setns(fd, CLONE_NEWNET) == 0;
  if (fd >= 0) close(fd);
  return entered;
}

}  // namespace

bool SetRoutesAtStart(lxc_container *container, char **routes) {
  if (routes[0] == nullptr) return true;
  char exe[PATH_MAX];
  const ssize_t length = readlink("/proc/self/exe", exe, sizeof exe - 1);
  if (length < 0) return false;
  exe[length] = '\0';
  int count = 0;
  while (routes[count] != nullptr) count++;
  char hook[16 * 1024];
  // The monitor keeps the hook for each restart of the container, when this program may have been removed.
  int at = snprintf(hook, sizeof hook, "/bin/sh -c '[ ! -x \"$1\" ] || exec \"$@\"' - ");
  const auto add = [&](const char *word) {
    const int size = static_cast<int>(sizeof hook) - at - 1;
    if (size <= 0 || !QuoteWord(word, hook + at, static_cast<size_t>(size))) return false;
    at += static_cast<int>(strlen(hook + at));
    hook[at++] = ' ';
    hook[at] = '\0';
    return true;
  };
  char number[16];
  snprintf(number, sizeof number, "%d", count);
  bool fits = add(exe) && add("routes") && add(number);
  for (int each = 0; fits && each < count; each++) fits = add(routes[each]);
  errno = fits ? EINVAL : ENAMETOOLONG;
  return fits && container->set_config_item(container, "lxc.hook.start-host", hook);
}

int Routes(int count, char **routes) {
  if (!EnterNetwork(getenv("LXC_PID"))) {
    fprintf(stderr, "the network of the container cannot be entered: %s\n", strerror(errno));
    return 1;
  }
  const int socket = ::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  for (int each = 0; each < count; each++) {
    Route route;
    if (socket >= 0 && route.Parse(routes[each]) && Request(route).Make(socket)) continue;
    fprintf(stderr, "the route %s cannot be set: %s\n", routes[each], strerror(errno));
    return 1;
  }
  return 0;
}

}  // namespace covirt
