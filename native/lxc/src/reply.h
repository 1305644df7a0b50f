// What a blocking call brings back from its thread: values of C++ only, turned into JavaScript's later.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include <napi.h>

#include "fd.h"

namespace covirt {

struct Nothing {};
struct Bytes {
  std::string data;
};
struct InitPidfd {
  UniqueFd fd;
  int pid;
};
struct Tty {
  UniqueFd connection;  // keeps the terminal reserved
  UniqueFd master;
  int number;
};
struct Failure {
  int error;  // errno, 0 where liblxc does not say
  std::string message;
};

using Reply =
    std::variant<Nothing, Failure, int, std::string, Bytes, std::vector<std::string>, InitPidfd, Tty>;

// Any reply but Failure. Descriptors pass to JavaScript, which closes them.
Napi::Value ToValue(Napi::Env env, Reply *reply);

}  // namespace covirt
