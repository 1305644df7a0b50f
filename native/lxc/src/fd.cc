#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <uv.h>

#include <string>
#include <utility>

#include "calls.h"
#include "environment.h"

namespace covirt {

namespace {

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

Napi::Value LockFile(const Napi::CallbackInfo &info) {
  const bool locked = flock(info[0].As<Napi::Number>().Int32Value(), LOCK_EX | LOCK_NB) == 0;
  if (!locked && errno != EWOULDBLOCK) throw SystemError(info.Env(), errno, "flock");
  return Napi::Boolean::New(info.Env(), locked);
}

Napi::Value SyncFileSystem(const Napi::CallbackInfo &info) {
  const std::string path = info[0].As<Napi::String>();
  return Environment::Of(info.Env()).calls().Run([path]() -> Reply {
    const UniqueFd fd(open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
    if (fd.Get() >= 0 && syncfs(fd.Get()) == 0) return Nothing{};
    return Failure{errno, strerror(errno)};
  });
}

Napi::Value SealedCopy(const Napi::CallbackInfo &info) {
  const std::string path = info[0].As<Napi::String>();
  UniqueFd source(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (source.Get() < 0) throw SystemError(info.Env(), errno, "open");
  struct stat stat;
  if (fstat(source.Get(), &stat) != 0) throw SystemError(info.Env(), errno, "fstat");
  UniqueFd copy(memfd_create("covirt-lxc", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  if (copy.Get() < 0) throw SystemError(info.Env(), errno, "memfd_create");
  for (off_t at = 0; at < stat.st_size;) {
    if (sendfile(copy.Get(), source.Get(), &at, static_cast<size_t>(stat.st_size - at)) <= 0) {
      throw SystemError(info.Env(), errno, "sendfile");
    }
  }
  if (fcntl(copy.Get(), F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) != 0) {
    throw SystemError(info.Env(), errno, "fcntl");
  }
  return Napi::Number::New(info.Env(), Environment::Of(info.Env()).Keep(std::move(copy)));
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
  exports["setWindowSize"] = Napi::Function::New(env, SetWindowSize, "setWindowSize");
  exports["unreadInput"] = Napi::Function::New(env, UnreadInput, "unreadInput");
  exports["sealedCopy"] = Napi::Function::New(env, SealedCopy, "sealedCopy");
  exports["lockFile"] = Napi::Function::New(env, LockFile, "lockFile");
  exports["syncFileSystem"] = Napi::Function::New(env, SyncFileSystem, "syncFileSystem");
  exports["makeFifo"] = Napi::Function::New(env, MakeFifo, "makeFifo");
}

}  // namespace covirt
