// Calls that wait long, of liblxc for a container's monitor above all, each on a thread of its own.
//
// Not in libuv's pool: a monitor that is stopped or hangs never answers, liblxc 5 knows no timeout, and four
// such containers would end all file and DNS work of the process. A thread costs some 30 microseconds.
#pragma once

#include <functional>
#include <memory>
#include <unordered_map>

#include <napi.h>

#include "liblxc.h"
#include "loop-handle.h"
#include "reply.h"

namespace covirt {

using Work = std::function<Reply()>;
using ContainerWork = std::function<Reply(lxc_container *)>;

struct Mailbox;

// The calls under way of one environment.
class Calls : public LoopHandle {
 public:
  explicit Calls(Napi::Env env);

  // Runs `work`, which holds copies only, on a new thread. The promise's error is made now, so that its
  // stack is the caller's. The event loop stays alive until the promise is settled.
  Napi::Promise Run(Work work);

 protected:
  void OnClose() override;

 private:
  struct Pending {
    Napi::Promise::Deferred deferred;
    Napi::ObjectReference error;
  };

  void Deliver();
  void Settle(Pending *pending, Reply *reply);
  uv_handle_t *handle() { return reinterpret_cast<uv_handle_t *>(&async_); }

  Napi::Env env_;
  uv_async_t async_;
  std::shared_ptr<Mailbox> mailbox_;
  std::unique_ptr<Napi::AsyncContext> context_;
  std::unordered_map<uint64_t, Pending> pending_;
  uint64_t next_id_ = 0;
};

// Runs `work` on the container whose lxcpath and name are the first two arguments.
Napi::Value CallContainer(const Napi::CallbackInfo &info, ContainerWork work);

}  // namespace covirt
