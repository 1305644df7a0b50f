#include "program/netlink.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

namespace covirt {

namespace {

// What the kernel answers: 0, or an errno.
int Exchange(int socket, const void *request, size_t size) {
  if (send(socket, request, size, 0) != static_cast<ssize_t>(size)) return errno;
  alignas(NLMSG_ALIGNTO) char answer[8192];
  const ssize_t length = recv(socket, answer, sizeof answer, 0);
  if (length < 0) return errno;
  const auto *header = reinterpret_cast<const nlmsghdr *>(answer);
  if (!NLMSG_OK(header, static_cast<size_t>(length)) || header->nlmsg_type != NLMSG_ERROR) return EPROTO;
  return -static_cast<const nlmsgerr *>(NLMSG_DATA(header))->error;
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
  if (is_full_) {
    errno = E2BIG;
    return false;
  }
  reinterpret_cast<nlmsghdr *>(bytes_)->nlmsg_len = static_cast<uint32_t>(length_);
  const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return false;
  const int error = Exchange(fd, bytes_, length_);
  close(fd);
  errno = error;
  return error == 0;
}

}  // namespace covirt
