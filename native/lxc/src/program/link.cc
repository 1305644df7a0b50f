#include <errno.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "program/link-addresses.h"
#include "program/link-words.h"
#include "program/netlink.h"
#include "program/verbs.h"

namespace covirt {

namespace {

struct Mode {
  const char *name;
  uint32_t mode;
};

constexpr Mode kModes[] = {{"private", MACVLAN_MODE_PRIVATE},
                           {"vepa", MACVLAN_MODE_VEPA},
                           {"bridge", MACVLAN_MODE_BRIDGE},
                           {"passthru", MACVLAN_MODE_PASSTHRU}};

bool ParseMac(const char *text, unsigned char *mac) {
  return sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", mac, mac + 1, mac + 2, mac + 3, mac + 4, mac + 5) == 6;
}

// What both kinds of new links have in the container.
bool AddInside(Request *request, const Words &words) {
  request->AddText(IFLA_IFNAME, words.Find("name"));
  const char *mtu = words.Find("mtu");
  if (mtu != nullptr) request->AddNumber(IFLA_MTU, static_cast<uint32_t>(strtoul(mtu, nullptr, 10)));
  const char *address = words.Find("hwaddr");
  if (address == nullptr) return true;
  unsigned char mac[6];
  if (!ParseMac(address, mac)) {
    errno = EINVAL;
    return false;
  }
  request->Add(IFLA_ADDRESS, mac, sizeof mac);
  return true;
}

// A pair, of which one end comes into being in the container, with its own name.
bool MakePair(const Words &words, int inside) {
  ifinfomsg head = {};
  head.ifi_flags = IFF_UP;
  head.ifi_change = IFF_UP;
  Request request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &head, sizeof head);
  request.AddText(IFLA_IFNAME, words.Find("veth.pair"));
  const char *mtu = words.Find("mtu");
  if (mtu != nullptr) request.AddNumber(IFLA_MTU, static_cast<uint32_t>(strtoul(mtu, nullptr, 10)));
  const char *bridge = words.Find("link");
  if (bridge != nullptr) {
    const unsigned index = LinkIndex(bridge);
    if (index == 0) return false;
    request.AddNumber(IFLA_MASTER, index);
  }
  const size_t info = request.Begin(IFLA_LINKINFO);
  request.AddText(IFLA_INFO_KIND, "veth");
  const size_t data = request.Begin(IFLA_INFO_DATA);
  const ifinfomsg peer_head = {};
  const size_t peer = request.Begin(VETH_INFO_PEER, &peer_head, sizeof peer_head);
  request.AddNumber(IFLA_NET_NS_FD, static_cast<uint32_t>(inside));
  if (!AddInside(&request, words)) return false;
  request.End(peer);
  request.End(data);
  request.End(info);
  return request.Send();
}

bool MakeMacvlan(const Words &words, int inside) {
  const unsigned parent = LinkIndex(words.Find("link"));
  if (parent == 0) return false;
  const ifinfomsg head = {};
  Request request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &head, sizeof head);
  request.AddNumber(IFLA_LINK, parent);
  request.AddNumber(IFLA_NET_NS_FD, static_cast<uint32_t>(inside));
  if (!AddInside(&request, words)) return false;
  const size_t info = request.Begin(IFLA_LINKINFO);
  request.AddText(IFLA_INFO_KIND, "macvlan");
  const size_t data = request.Begin(IFLA_INFO_DATA);
  for (const Mode &mode : kModes) {
    if (words.Is("macvlan.mode", mode.name)) request.AddNumber(IFLA_MACVLAN_MODE, mode.mode);
  }
  request.End(data);
  request.End(info);
  return request.Send();
}

// From the network namespace that we are in to another one, where it is called so.
bool Move(unsigned index, int target, const char *name) {
  ifinfomsg head = {};
  head.ifi_index = static_cast<int>(index);
  Request request(RTM_NEWLINK, 0, &head, sizeof head);
  request.AddText(IFLA_IFNAME, name);
  request.AddNumber(IFLA_NET_NS_FD, static_cast<uint32_t>(target));
  return request.Send();
}

// Another of that name stays.
bool Delete(const char *name, const char *kind) {
  ifinfomsg head = {};
  head.ifi_index = static_cast<int>(LinkIndex(name));
  return head.ifi_index != 0 && IsKind(static_cast<unsigned>(head.ifi_index), kind) &&
         Request(RTM_DELLINK, 0, &head, sizeof head).Send();
}

// From the container, which may have given the name to a link that it has made: that would be its own way to the host.
bool MoveBack(const char *name, int host, const char *host_name) {
  const unsigned index = LinkIndex(name);
  return index != 0 && IsKind(index, nullptr) && Move(index, host, host_name);
}

bool SetBridge(const char *name, const char *bridge) {
  ifinfomsg head = {};
  head.ifi_index = static_cast<int>(LinkIndex(name));
  const unsigned master = LinkIndex(bridge);
  if (head.ifi_index == 0 || master == 0) return false;
  Request request(RTM_NEWLINK, 0, &head, sizeof head);
  request.AddNumber(IFLA_MASTER, master);
  return request.Send();
}

// The two network namespaces that a link is between.
struct Sides {
  int host;
  int inside;
};

// Of a link of the host; by its name in the container where no other is known.
const char *HostName(const Words &words) {
  const char *link = words.Find("link");
  return link != nullptr ? link : words.Find("name");
}

bool Enter(int network_namespace) { return setns(network_namespace, CLONE_NEWNET) == 0; }

// Leaves us on the host's side.
bool Remove(const Words &words, const Sides &sides) {
  const bool is_pair = words.Is("type", "veth");
  const char *pair = words.Find("veth.pair");
  if (is_pair && pair != nullptr) return Delete(pair, "veth");
  if (!Enter(sides.inside)) return false;
  const char *name = words.Find("name");
  const bool removed =
      words.Is("type", "phys") ? MoveBack(name, sides.host, HostName(words)) : Delete(name, is_pair ? "veth" : "macvlan");
  const int error = errno;
  if (!Enter(sides.host)) return false;
  errno = error;
  return removed;
}

bool Give(const Words &words, const Sides &sides) {
  const char *link = words.Find("link");
  const unsigned index = LinkIndex(link);
  if (index == 0) return false;
  if (Move(index, sides.inside, words.Find("name"))) return true;
  // It may be there already, and not have got its name.
  const int error = errno;
  if (Enter(sides.inside)) {
    MoveBack(link, sides.host, link);
    if (!Enter(sides.host)) return false;
  }
  errno = error;
  return false;
}

bool Add(const Words &words, const Sides &sides) {
  const bool made = words.Is("type", "veth")      ? MakePair(words, sides.inside)
                    : words.Is("type", "macvlan") ? MakeMacvlan(words, sides.inside)
                                                  : Give(words, sides);
  if (!made) return false;
  const bool configured = Enter(sides.inside) && ConfigureLink(words);
  const int error = errno;
  if (!Enter(sides.host)) return false;
  if (!configured) Remove(words, sides);
  errno = error;
  return configured;
}

// The index of the end of a pair in the container, where we are then, by that on the host: it may have been renamed. 0 with errno.
unsigned EnterPeer(const char *pair, int inside) {
  const unsigned index = LinkIndex(pair);
  const unsigned peer = index == 0 ? 0 : PeerOf(index);
  if (peer == 0 || !Enter(inside)) return 0;
  // It may have been moved on, and the number be another one's.
  if (IsKind(peer, "veth") && PeerOf(peer) == index) return peer;
  return (errno = ENODEV, 0);
}

bool Set(const Words &words, const Sides &sides) {
  const char *bridge = words.Find("link");
  const char *pair = words.Find("veth.pair");
  // What is on none by its definition may have been put on one by others.
  if (pair != nullptr && bridge != nullptr && !SetBridge(pair, bridge)) return false;
  unsigned index = 0;
  if (words.Is("type", "veth") && pair != nullptr) {
    index = EnterPeer(pair, sides.inside);
  } else if (Enter(sides.inside)) {
    index = LinkIndex(words.Find("name"));
  }
  return index != 0 && SetLinkUp(index, words.Is("flags", "up"));
}

// What is there already may be known by its name in the container alone.
bool IsComplete(const Words &words, bool is_new) {
  if (words.Find("name") == nullptr) return false;
  if (words.Is("type", "veth")) return !is_new || words.Find("veth.pair") != nullptr;
  return (words.Is("type", "macvlan") || words.Is("type", "phys")) && words.Find("link") != nullptr;
}

}  // namespace

int Link(const Job &job) {
  lxc_container *c = job.container;
  char **argv = job.options.argv;
  const auto fail = [&](int error, const char *message) {
    return Fail(job.options, job.log, stderr, error, message);
  };
  struct Operation {
    const char *name;
    bool (*run)(const Words &words, const Sides &sides);
    const char *failure;
  };
  static const Operation operations[] = {{"add", Add, "the network link cannot be added"},
                                         {"remove", Remove, "the network link cannot be removed"},
                                         {"set", Set, "the network link cannot be changed"}};
  if (argv == nullptr || !IsComplete(Words(argv + 1), strcmp(argv[0], "add") == 0)) return fail(EINVAL, "a network link lacks something");
  const int init = c->is_running(c) ? c->init_pidfd(c) : -1;
  if (init < 0) return fail(ESRCH, "the container is not running");
  Sides sides = {open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), -1};
  // By a number it could be another process's by now.
  if (sides.host < 0 || setns(init, CLONE_NEWNET) != 0) return fail(errno, "its network namespace cannot be entered");
  sides.inside = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  if (sides.inside < 0 || !Enter(sides.host)) return fail(errno, "its network namespace cannot be left");
  for (const Operation &operation : operations) {
    if (strcmp(operation.name, argv[0]) != 0) continue;
    if (!operation.run(Words(argv + 1), sides)) {
      const int error = errno;
      char message[256];
      snprintf(message, sizeof message, "%s: %s", operation.failure, strerror(error));
      return fail(error, message);
    }
    printf("{\"done\":true}\n");
    return 0;
  }
  return fail(EINVAL, argv[0]);
}

}  // namespace covirt
