// A libuv handle that is closed before its environment goes, whichever comes first.
#pragma once

#include <uv.h>

#include <napi.h>

namespace covirt {

// Made on the environment's thread, on the heap; deletes itself after Close, or when the environment ends.
class LoopHandle {
 public:
  LoopHandle(const LoopHandle &) = delete;
  LoopHandle &operator=(const LoopHandle &) = delete;

  // Idempotent. No callback of the handle runs after it.
  void Close();

 protected:
  explicit LoopHandle(Napi::Env env);
  virtual ~LoopHandle() = default;

  // Lets go of everything that belongs to JavaScript; the environment may be ending.
  virtual void OnClose() = 0;

  // To be called once libuv accepted the handle; before that the object is not known to libuv.
  void Opened(uv_handle_t *handle);
  // Deletes an object whose handle libuv refused.
  void Discard();

  uv_loop_t *loop() const { return loop_; }

 private:
  static void OnTeardown(napi_async_cleanup_hook_handle hook, void *self);

  uv_loop_t *loop_ = nullptr;
  uv_handle_t *handle_ = nullptr;
  napi_async_cleanup_hook_handle hook_ = nullptr;
  bool closing_ = false;
};

}  // namespace covirt
