#include "loop-handle.h"

namespace covirt {

LoopHandle::LoopHandle(Napi::Env env) {
  napi_get_uv_event_loop(env, &loop_);
  napi_add_async_cleanup_hook(env, OnTeardown, this, &hook_);
}

void LoopHandle::OnTeardown(napi_async_cleanup_hook_handle, void *self) {
  static_cast<LoopHandle *>(self)->Close();
}

void LoopHandle::Opened(uv_handle_t *handle) {
  handle_ = handle;
  handle_->data = this;
}

void LoopHandle::Discard() {
  closing_ = true;
  napi_remove_async_cleanup_hook(hook_);
  delete this;
}

void LoopHandle::Close() {
  if (closing_) return;
  closing_ = true;
  OnClose();
  uv_close(handle_, [](uv_handle_t *handle) {
    LoopHandle *self = static_cast<LoopHandle *>(handle->data);
    const napi_async_cleanup_hook_handle hook = self->hook_;
    delete self;
    // Last: it may let the environment finish.
    napi_remove_async_cleanup_hook(hook);
  });
}

}  // namespace covirt
