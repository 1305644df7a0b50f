#include "unix-socket.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <string>
#include <vector>

#include "fd.h"
#include "send-fd.h"

namespace covirt {

namespace {

Napi::Value PeerCredentials(const Napi::CallbackInfo &info) {
  struct ucred peer;
  socklen_t size = sizeof peer;
  if (getsockopt(info[0].As<Napi::Number>(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    throw SystemError(info.Env(), errno, "getsockopt");
  }
  Napi::Object result = Napi::Object::New(info.Env());
  result["pid"] = Napi::Number::New(info.Env(), peer.pid);
  result["uid"] = Napi::Number::New(info.Env(), peer.uid);
  result["gid"] = Napi::Number::New(info.Env(), peer.gid);
  return result;
}

// Beside the primary group. The kernel says how much room it needs; a second attempt cannot be too small, as
// the groups are those of the moment of connecting.
Napi::Value PeerGroups(const Napi::CallbackInfo &info) {
  const int fd = info[0].As<Napi::Number>();
  std::vector<gid_t> groups(64);
  for (;;) {
    socklen_t size = groups.size() * sizeof(gid_t);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups.data(), &size) == 0) {
      groups.resize(size / sizeof(gid_t));
      break;
    }
    if (errno != ERANGE || size <= groups.size() * sizeof(gid_t)) {
      throw SystemError(info.Env(), errno, "getsockopt");
    }
    groups.resize(size / sizeof(gid_t));
  }
  Napi::Array result = Napi::Array::New(info.Env(), groups.size());
  for (size_t i = 0; i < groups.size(); i++) result[i] = Napi::Number::New(info.Env(), groups[i]);
  return result;
}

Napi::Value SendDescriptor(const Napi::CallbackInfo &info) {
  const bool sent = SendFd(info[0].As<Napi::Number>(), info[1].As<Napi::Number>(), MSG_DONTWAIT);
  if (!sent && errno != EAGAIN) throw SystemError(info.Env(), errno, "sendmsg");
  return Napi::Boolean::New(info.Env(), sent);
}

Napi::Value SendDatagram(const Napi::CallbackInfo &info) {
  const std::string path = info[0].As<Napi::String>();
  const std::string text = info[1].As<Napi::String>();
  struct sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    throw SystemError(info.Env(), ENAMETOOLONG, "connect");
  }
  memcpy(address.sun_path, path.data(), path.size());
  if (path[0] == '@') address.sun_path[0] = '\0';
  const socklen_t size = offsetof(struct sockaddr_un, sun_path) + path.size() + (path[0] == '@' ? 0 : 1);

  UniqueFd fd(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (fd.Get() < 0) throw SystemError(info.Env(), errno, "socket");
  const auto *target = reinterpret_cast<const struct sockaddr *>(&address);
  if (sendto(fd.Get(), text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL, target, size) < 0) {
    throw SystemError(info.Env(), errno, "sendto");
  }
  return info.Env().Undefined();
}

}  // namespace

void ExportUnixSocket(Napi::Env env, Napi::Object exports) {
  exports["peerCredentials"] = Napi::Function::New(env, PeerCredentials, "peerCredentials");
  exports["peerGroups"] = Napi::Function::New(env, PeerGroups, "peerGroups");
  exports["sendDescriptor"] = Napi::Function::New(env, SendDescriptor, "sendDescriptor");
  exports["sendDatagram"] = Napi::Function::New(env, SendDatagram, "sendDatagram");
}

}  // namespace covirt
