#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <string>
#include <utility>
#include <vector>

#include "fd.h"

namespace covirt {

namespace {

struct Pipe {
  UniqueFd ours;
  UniqueFd theirs;
};

std::vector<std::string> Strings(const Napi::Array &array) {
  std::vector<std::string> strings;
  for (uint32_t i = 0; i < array.Length(); i++) strings.push_back(array.Get(i).As<Napi::String>());
  return strings;
}

// Valid as long as `strings` is.
std::vector<char *> Pointers(std::vector<std::string> &strings) {
  std::vector<char *> pointers;
  for (std::string &string : strings) pointers.push_back(string.data());
  pointers.push_back(nullptr);
  return pointers;
}

// For descriptors 0, 1, … of the program: "read" and "write" are pipes, "both" is a socket, anything else is /dev/null.
std::vector<Pipe> OpenPipes(Napi::Env env, const std::vector<std::string> &stdio) {
  std::vector<Pipe> pipes;
  for (const std::string &use : stdio) {
    int ends[2] = {-1, -1};
    if ((use == "read" || use == "write") && pipe2(ends, O_CLOEXEC) != 0) throw SystemError(env, errno, "pipe2");
    if (use == "both" && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
      throw SystemError(env, errno, "socketpair");
    }
    Pipe pipe = {UniqueFd(ends[0]), UniqueFd(ends[1])};
    if (use == "read") std::swap(pipe.ours, pipe.theirs);
    // Out of the way of the numbers that the program's descriptors get.
    if (pipe.theirs.Get() >= 0) {
      UniqueFd moved(fcntl(pipe.theirs.Get(), F_DUPFD_CLOEXEC, static_cast<int>(stdio.size())));
      if (moved.Get() < 0) throw SystemError(env, errno, "fcntl");
      pipe.theirs = std::move(moved);
    }
    pipes.push_back(std::move(pipe));
  }
  return pipes;
}

class FileActions {
 public:
  explicit FileActions(const std::vector<Pipe> &pipes) {
    posix_spawn_file_actions_init(&actions_);
    for (size_t i = 0; i < pipes.size(); i++) {
      const int fd = static_cast<int>(i);
      if (pipes[i].theirs.Get() < 0) {
        posix_spawn_file_actions_addopen(&actions_, fd, "/dev/null", O_RDWR, 0);
      } else {
        posix_spawn_file_actions_adddup2(&actions_, pipes[i].theirs.Get(), fd);
      }
    }
  }
  ~FileActions() { posix_spawn_file_actions_destroy(&actions_); }
  const posix_spawn_file_actions_t *get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_;
};

// No signal blocked, and none ignored: this process does both.
class CleanSignals {
 public:
  CleanSignals() {
    posix_spawnattr_init(&attributes_);
    sigset_t set;
    sigemptyset(&set);
    posix_spawnattr_setsigmask(&attributes_, &set);
    sigfillset(&set);
    posix_spawnattr_setsigdefault(&attributes_, &set);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~CleanSignals() { posix_spawnattr_destroy(&attributes_); }
  const posix_spawnattr_t *get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_;
};

// (file, argv, environment, stdio) => { pid, fds }. fork(2), which libuv uses, copies the page tables of this process;
// posix_spawn(3) borrows its memory until the program is executed. A file without a slash is looked for in PATH.
Napi::Value Spawn(const Napi::CallbackInfo &info) {
  const Napi::Env env = info.Env();
  const std::string file = info[0].As<Napi::String>();
  std::vector<std::string> argv = Strings(info[1].As<Napi::Array>());
  std::vector<std::string> environment = Strings(info[2].As<Napi::Array>());
  std::vector<Pipe> pipes = OpenPipes(env, Strings(info[3].As<Napi::Array>()));
  pid_t pid = 0;
  const int error = posix_spawnp(&pid, file.c_str(), FileActions(pipes).get(), CleanSignals().get(),
                                Pointers(argv).data(), Pointers(environment).data());
  if (error != 0) throw SystemError(env, error, "posix_spawn");
  Napi::Array fds = Napi::Array::New(env, pipes.size());
  for (size_t i = 0; i < pipes.size(); i++) {
    fds[static_cast<uint32_t>(i)] = Napi::Number::New(env, pipes[i].ours.Release());
  }
  Napi::Object result = Napi::Object::New(env);
  result["pid"] = Napi::Number::New(env, pid);
  result["fds"] = fds;
  return result;
}

// (pid) => { code } | { signal }. Of a child that has ended.
Napi::Value Reap(const Napi::CallbackInfo &info) {
  int status = 0;
  if (waitpid(info[0].As<Napi::Number>().Int32Value(), &status, WNOHANG) <= 0) {
    throw SystemError(info.Env(), ECHILD, "waitpid");
  }
  Napi::Object result = Napi::Object::New(info.Env());
  if (WIFEXITED(status)) {
    result["code"] = Napi::Number::New(info.Env(), WEXITSTATUS(status));
  } else {
    result["signal"] = Napi::Number::New(info.Env(), WTERMSIG(status));
  }
  return result;
}

}  // namespace

void ExportChild(Napi::Env env, Napi::Object exports) {
  exports["spawn"] = Napi::Function::New(env, Spawn, "spawn");
  exports["reap"] = Napi::Function::New(env, Reap, "reap");
}

}  // namespace covirt
