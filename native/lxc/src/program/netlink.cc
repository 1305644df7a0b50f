#include "program/netlink.h"

#include <errno.h>
#include <linux/if_link.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

namespace covirt {

struct Answer {
  alignas(NLMSG_ALIGNTO) char bytes[16384];

  const nlmsghdr *header() const { return reinterpret_cast<const nlmsghdr *>(bytes); }
};

namespace {

// The first message that the kernel answers with: 0, or an errno.
int Exchange(int socket, const void *request, size_t size, Answer *answer) {
  if (send(socket, request, size, 0) != static_cast<ssize_t>(size)) return errno;
  const ssize_t length = recv(socket, answer->bytes, sizeof answer->bytes, 0);
  if (length < 0) return errno;
  if (!NLMSG_OK(answer->header(), static_cast<size_t>(length))) return EPROTO;
  if (answer->header()->nlmsg_type != NLMSG_ERROR) return 0;
  return -static_cast<const nlmsgerr *>(NLMSG_DATA(answer->header()))->error;
}

// The attribute of this type among `size` bytes of them; null where there is none.
const rtattr *Find(const void *attributes, size_t size, unsigned short type) {
  auto left = static_cast<unsigned>(size);
  for (const auto *each = static_cast<const rtattr *>(attributes); RTA_OK(each, left); each = RTA_NEXT(each, left)) {
    if ((each->rta_type & NLA_TYPE_MASK) == type) return each;
  }
  return nullptr;
}

}  // namespace

Request::Request(uint16_t type, uint16_t flags, const void *body, size_t size) {
  nlmsghdr header = {};
  header.nlmsg_type = type;
  header.nlmsg_flags = static_cast<uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
  Append(&header, sizeof header);
  Append(body, size);
}

void Request::Append(const void *data, size_t size) {
  if (length_ + NLMSG_ALIGN(size) > sizeof bytes_) {
    is_full_ = true;
    return;
  }
  if (size > 0) memcpy(bytes_ + length_, data, size);
  length_ += NLMSG_ALIGN(size);
}

void Request::Add(uint16_t attribute, const void *data, size_t size) { End(Begin(attribute, data, size)); }

void Request::AddText(uint16_t attribute, const char *text) { Add(attribute, text, strlen(text) + 1); }

void Request::AddNumber(uint16_t attribute, uint32_t number) { Add(attribute, &number, sizeof number); }

size_t Request::Begin(uint16_t attribute, const void *head, size_t size) {
  const size_t begun = length_;
  rtattr header = {};
  header.rta_len = static_cast<uint16_t>(RTA_LENGTH(size));
  header.rta_type = attribute;
  Append(&header, sizeof header);
  Append(head, size);
  return begun;
}

void Request::End(size_t begun) {
  auto *header = reinterpret_cast<rtattr *>(bytes_ + begun);
  // What is within is counted with its padding; a value alone is not.
  if (!is_full_ && RTA_ALIGN(header->rta_len) < length_ - begun) {
    header->rta_len = static_cast<uint16_t>(length_ - begun);
  }
}

bool Request::Send() {
  Answer answer;
  if (!Ask(&answer)) return false;
  if (answer.header()->nlmsg_type == NLMSG_ERROR) return true;
  errno = EPROTO;
  return false;
}

bool Request::Ask(Answer *answer) {
  if (is_full_) {
    errno = E2BIG;
    return false;
  }
  reinterpret_cast<nlmsghdr *>(bytes_)->nlmsg_len = static_cast<uint32_t>(length_);
  const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return false;
  const int error = Exchange(fd, bytes_, length_, answer);
  close(fd);
  errno = error;
  return error == 0;
}

namespace {

// What the kernel tells of a link; false with errno.
bool AskLink(unsigned index, Answer *answer) {
  ifinfomsg head = {};
  head.ifi_index = static_cast<int>(index);
  Request request(RTM_GETLINK, 0, &head, sizeof head);
  if (!request.Ask(answer)) return false;
  if (answer->header()->nlmsg_type != RTM_NEWLINK) return (errno = EPROTO, false);
  return true;
}

const rtattr *FindOfLink(const Answer &answer, uint16_t attribute) {
  const auto *link = static_cast<const ifinfomsg *>(NLMSG_DATA(answer.header()));
  return Find(IFLA_RTA(link), IFLA_PAYLOAD(answer.header()), attribute);
}

}  // namespace

bool IsKind(unsigned index, const char *kind) {
  Answer answer;
  if (!AskLink(index, &answer)) return false;
  const rtattr *info = FindOfLink(answer, IFLA_LINKINFO);
  const rtattr *found = info == nullptr ? nullptr : Find(RTA_DATA(info), RTA_PAYLOAD(info), IFLA_INFO_KIND);
  const bool is_kind =
      kind == nullptr ? found == nullptr
                      : found != nullptr && strncmp(static_cast<const char *>(RTA_DATA(found)), kind, RTA_PAYLOAD(found)) == 0;
  if (!is_kind) errno = ENODEV;
  return is_kind;
}

unsigned PeerOf(unsigned index) {
  Answer answer;
  if (!AskLink(index, &answer)) return 0;
  const rtattr *peer = FindOfLink(answer, IFLA_LINK);
  if (peer == nullptr || RTA_PAYLOAD(peer) < sizeof(unsigned)) return (errno = ENODEV, 0);
  unsigned number;
  memcpy(&number, RTA_DATA(peer), sizeof number);
  return number;
}

}  // namespace covirt
