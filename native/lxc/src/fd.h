// Small calls on file descriptors that Node lacks, and an owner for one.
#pragma once

#include <unistd.h>

#include <napi.h>

namespace covirt {

// Closes its descriptor unless that was released.
class UniqueFd {
 public:
  explicit UniqueFd(int fd = -1) : fd_(fd) {}
  UniqueFd(UniqueFd &&other) noexcept : fd_(other.Release()) {}
  UniqueFd &operator=(UniqueFd &&other) noexcept {
    if (this != &other) {
      Reset();
      fd_ = other.Release();
    }
    return *this;
  }
  UniqueFd(const UniqueFd &) = delete;
  UniqueFd &operator=(const UniqueFd &) = delete;
  ~UniqueFd() { Reset(); }

  int Get() const { return fd_; }
  int Release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }
  void Reset() {
    if (fd_ >= 0) close(fd_);
    fd_ = -1;
  }

 private:
  int fd_;
};

// An Error as Node's own system errors are: `errno`, `code` and `syscall`.
Napi::Error SystemError(Napi::Env env, int error, const char *syscall);

void ExportFd(Napi::Env env, Napi::Object exports);

}  // namespace covirt
