#include "container.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "calls.h"
#include "environment.h"

namespace covirt {

namespace {

Napi::Value State(const Napi::CallbackInfo &info) {
  return CallContainer(info, [](lxc_container *c) -> Reply {
    const char *state = c->state(c);
    if (state == nullptr) return Failure{0, "liblxc does not know the container's state"};
    return std::string(state);
  });
}

Napi::Value InitPid(const Napi::CallbackInfo &info) {
  return CallContainer(info, [](lxc_container *c) -> Reply {
    const int pid = c->init_pid(c);
    if (pid <= 0) return Nothing{};
    return pid;
  });
}

// The kernel's own answer, which no reuse of the number can falsify. 0 once the process is reaped.
int PidOf(int pidfd) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fdinfo/%d", pidfd);
  FILE *file = fopen(path, "re");
  if (file == nullptr) return 0;
  char line[128];
  int pid = 0;
  while (fgets(line, sizeof line, file) != nullptr) {
    if (sscanf(line, "Pid: %d", &pid) == 1) break;
  }
  fclose(file);
  return pid > 0 ? pid : 0;
}

Napi::Value OpenInitPidfd(const Napi::CallbackInfo &info) {
  return CallContainer(info, [](lxc_container *c) -> Reply {
    UniqueFd fd(c->init_pidfd(c));
    if (fd.Get() < 0) return Nothing{};
    fcntl(fd.Get(), F_SETFD, FD_CLOEXEC);
    const int pid = PidOf(fd.Get());
    if (pid == 0) return Nothing{};
    return InitPidfd{std::move(fd), pid};
  });
}

// liblxc's two-step reading: ask for the length, then for the text.
template <typename Get>
bool ReadText(Get get, std::string *text) {
  const int length = get(nullptr, 0);
  if (length < 0) return false;
  std::string buffer(static_cast<size_t>(length) + 1, '\0');
  const int read = get(buffer.data(), length + 1);
  if (read < 0) return false;
  buffer.resize(strnlen(buffer.data(), buffer.size()));
  *text = std::move(buffer);
  return true;
}

Napi::Value ConfigItem(const Napi::CallbackInfo &info) {
  const std::string key = info[2].As<Napi::String>();
  return CallContainer(info, [key](lxc_container *c) -> Reply {
    std::string value;
    const bool known = ReadText(
        [&](char *buffer, int size) { return c->get_config_item(c, key.c_str(), buffer, size); }, &value);
    if (!known) return Nothing{};
    return value;
  });
}

// What liblxc chooses as it starts a container is known to its monitor alone.
Napi::Value RunningConfigItem(const Napi::CallbackInfo &info) {
  const std::string key = info[2].As<Napi::String>();
  return CallContainer(info, [key](lxc_container *c) -> Reply {
    char *value = c->get_running_config_item(c, key.c_str());
    if (value == nullptr) return Nothing{};
    std::string text = value;
    free(value);
    return text;
  });
}

Napi::Value CgroupItem(const Napi::CallbackInfo &info) {
  const std::string key = info[2].As<Napi::String>();
  return CallContainer(info, [key](lxc_container *c) -> Reply {
    std::string value;
    const bool found = ReadText(
        [&](char *buffer, int size) { return c->get_cgroup_item(c, key.c_str(), buffer, size); }, &value);
    if (!found) return Failure{ENOENT, "the container's cgroup has no readable " + key};
    return value;
  });
}

Napi::Value SetCgroupItem(const Napi::CallbackInfo &info) {
  const std::string key = info[2].As<Napi::String>();
  const std::string value = info[3].As<Napi::String>();
  return CallContainer(info, [key, value](lxc_container *c) -> Reply {
    if (!c->set_cgroup_item(c, key.c_str(), value.c_str())) {
      return Failure{EINVAL, "the container's cgroup does not take \"" + value + "\" for " + key};
    }
    return Nothing{};
  });
}

Napi::Value Stop(const Napi::CallbackInfo &info) {
  return CallContainer(info, [](lxc_container *c) -> Reply {
    if (!c->stop(c)) return Failure{0, "the monitor did not stop the container"};
    return Nothing{};
  });
}

// With a timeout of 0 both only send the signal. liblxc calls that a success for a container that does not
// run, too.
Napi::Value Shutdown(const Napi::CallbackInfo &info) {
  return CallContainer(info, [](lxc_container *c) -> Reply {
    if (!c->is_running(c)) return Failure{ESRCH, "the container is not running"};
    if (!c->shutdown(c, 0)) return Failure{0, "the halt signal could not be sent"};
    return Nothing{};
  });
}

Napi::Value Reboot(const Napi::CallbackInfo &info) {
  return CallContainer(info, [](lxc_container *c) -> Reply {
    if (!c->is_running(c)) return Failure{ESRCH, "the container is not running"};
    if (!c->reboot2(c, 0)) return Failure{0, "the reboot signal could not be sent"};
    return Nothing{};
  });
}

Napi::Value ListActive(const Napi::CallbackInfo &info) {
  const std::string path = info[0].As<Napi::String>();
  Environment &environment = Environment::Of(info.Env());
  return environment.calls().Run([lib = environment.RequireLibLxc(info.Env()), path]() -> Reply {
    char **names = nullptr;
    const int count = lib->list_active(path.c_str(), &names, nullptr);
    if (count < 0) return Failure{0, "liblxc cannot list the active containers of " + path};
    std::vector<std::string> result(names, names + count);
    for (int i = 0; i < count; i++) free(names[i]);
    free(names);
    return result;
  });
}

}  // namespace

void ExportContainer(Napi::Env env, Napi::Object exports) {
  exports["state"] = Napi::Function::New(env, State, "state");
  exports["initPid"] = Napi::Function::New(env, InitPid, "initPid");
  exports["openInitPidfd"] = Napi::Function::New(env, OpenInitPidfd, "openInitPidfd");
  exports["configItem"] = Napi::Function::New(env, ConfigItem, "configItem");
  exports["runningConfigItem"] = Napi::Function::New(env, RunningConfigItem, "runningConfigItem");
  exports["cgroupItem"] = Napi::Function::New(env, CgroupItem, "cgroupItem");
  exports["setCgroupItem"] = Napi::Function::New(env, SetCgroupItem, "setCgroupItem");
  exports["stop"] = Napi::Function::New(env, Stop, "stop");
  exports["shutdown"] = Napi::Function::New(env, Shutdown, "shutdown");
  exports["reboot"] = Napi::Function::New(env, Reboot, "reboot");
  exports["listActive"] = Napi::Function::New(env, ListActive, "listActive");
}

}  // namespace covirt
