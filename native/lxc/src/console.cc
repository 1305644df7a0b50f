#include "console.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <termios.h>

#include "calls.h"

namespace covirt {

namespace {

// The console comes through a second terminal between its own and ours, which must not translate again.
void MakeRaw(int fd) {
  struct termios settings;
  if (tcgetattr(fd, &settings) != 0) return;
  cfmakeraw(&settings);
  tcsetattr(fd, TCSANOW, &settings);
}

Napi::Value OpenTty(const Napi::CallbackInfo &info) {
  const int wanted = info[2].As<Napi::Number>();
  return CallContainer(info, [wanted](lxc_container *c) -> Reply {
    int number = wanted;
    int master = -1;
    UniqueFd connection(c->console_getfd(c, &number, &master));
    UniqueFd owned(master);
    if (connection.Get() < 0 || master < 0) {
      if (!c->is_running(c)) return Failure{ESRCH, "the container is not running"};
      return Failure{EBUSY, wanted == 0 ? "the console is in use by somebody else, or there is none"
                                        : "that terminal is in use, or there is none"};
    }
    fcntl(connection.Get(), F_SETFD, FD_CLOEXEC);
    fcntl(master, F_SETFD, FD_CLOEXEC);
    if (number == 0) MakeRaw(master);
    // The monitor keeps this description but never reads or writes through it.
    fcntl(master, F_SETFL, fcntl(master, F_GETFL) | O_NONBLOCK);
    return Tty{std::move(connection), std::move(owned), number};
  });
}

Napi::Value ConsoleLog(const Napi::CallbackInfo &info) {
  return CallContainer(info, [](lxc_container *c) -> Reply {
    uint64_t size = 0;
    lxc_console_log log = {};
    log.read = true;
    log.read_max = &size;
    const int error = c->console_log(c, &log);
    Bytes bytes;
    if (error == 0 && log.data != nullptr) bytes.data.assign(log.data, size);
    free(log.data);
    // An empty buffer is an error to liblxc.
    if (error == -ENODATA) return bytes;
    if (error == -EFAULT || error == -ENOENT) {
      return Failure{-error, "the container has no console log (lxc.console.buffer.size)"};
    }
    if (error != 0) return Failure{-error, "the console log cannot be read"};
    return bytes;
  });
}

}  // namespace

void ExportConsole(Napi::Env env, Napi::Object exports) {
  exports["openTty"] = Napi::Function::New(env, OpenTty, "openTty");
  exports["consoleLog"] = Napi::Function::New(env, ConsoleLog, "consoleLog");
}

}  // namespace covirt
