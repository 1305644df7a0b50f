// What the addon keeps for one environment (the main thread or a worker): no statics anywhere.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <napi.h>

#include "calls.h"
#include "fd.h"
#include "liblxc.h"

namespace covirt {

class Environment {
 public:
  explicit Environment(Napi::Env env) : calls_(new Calls(env)) {}

  static Environment &Of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

  // Opened on first use; null, with a sentence in `reason`, where liblxc is missing. Asked again each time,
  // because it may be installed meanwhile.
  std::shared_ptr<const LibLxc> FindLibLxc(std::string *reason);
  // As FindLibLxc, but throws the reason as an Error with code ENOENT.
  std::shared_ptr<const LibLxc> RequireLibLxc(Napi::Env env);

  Calls &calls() { return *calls_; }

  // A descriptor that is closed when the environment ends.
  int Keep(UniqueFd fd) {
    kept_.push_back(std::move(fd));
    return kept_.back().Get();
  }

 private:
  std::shared_ptr<const LibLxc> lib_;
  std::vector<UniqueFd> kept_;
  Calls *calls_;  // deletes itself
};

}  // namespace covirt
