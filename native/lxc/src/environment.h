// What the addon keeps for one environment (the main thread or a worker): no statics anywhere.
#pragma once

#include <memory>
#include <string>

#include <napi.h>

#include "calls.h"
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

 private:
  std::shared_ptr<const LibLxc> lib_;
  Calls *calls_;  // deletes itself
};

}  // namespace covirt
