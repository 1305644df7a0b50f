#include "fd.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <uv.h>

#include <string>

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

Napi::Value SetWindowSize(const Napi::CallbackInfo &info) {
  struct winsize size = {};
  size.ws_col = static_cast<unsigned short>(info[1].As<Napi::Number>().Uint32Value());
  size.ws_row = static_cast<unsigned short>(info[2].As<Napi::Number>().Uint32Value());
  if (ioctl(info[0].As<Napi::Number>().Int32Value(), TIOCSWINSZ, &size) != 0) {
    throw SystemError(info.Env(), errno, "ioctl");
  }
  return info.Env().Undefined();
}

Napi::Value UnreadInput(const Napi::CallbackInfo &info) {
  int bytes = 0;
  if (ioctl(info[0].As<Napi::Number>().Int32Value(), TIOCINQ, &bytes) != 0) {
    throw SystemError(info.Env(), errno, "ioctl");
  }
  return Napi::Number::New(info.Env(), bytes);
}

Napi::Value MakeFifo(const Napi::CallbackInfo &info) {
  const std::string path = info[0].As<Napi::String>();
  if (mkfifo(path.c_str(), info[1].As<Napi::Number>().Uint32Value()) != 0) {
    throw SystemError(info.Env(), errno, "mkfifo");
  }
  return info.Env().Undefined();
}

}  // namespace

Napi::Error SystemError(Napi::Env env, int error, const char *syscall) {
  const char *code = uv_err_name(-error);
  Napi::Error result = Napi::Error::New(env, std::string(code) + ": " + strerror(error) + ", " + syscall);
  result.Set("errno", Napi::Number::New(env, -error));
  result.Set("code", Napi::String::New(env, code));
  result.Set("syscall", Napi::String::New(env, syscall));
  return result;
}

void ExportFd(Napi::Env env, Napi::Object exports) {
  exports["peerCredentials"] = Napi::Function::New(env, PeerCredentials, "peerCredentials");
  exports["setWindowSize"] = Napi::Function::New(env, SetWindowSize, "setWindowSize");
  exports["unreadInput"] = Napi::Function::New(env, UnreadInput, "unreadInput");
  exports["makeFifo"] = Napi::Function::New(env, MakeFifo, "makeFifo");
}

}  // namespace covirt
