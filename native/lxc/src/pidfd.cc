#include "pidfd.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>

#include <memory>

#include "fd.h"
#include "loop-handle.h"

namespace covirt {

namespace {

// Watches one pidfd, which becomes readable when its process ends, whoever's child that is.
class PidfdPoll : public LoopHandle {
 public:
  // Takes `fd`. Null, with an errno in `error`, where it cannot be watched.
  static PidfdPoll *Open(Napi::Env env, UniqueFd fd, Napi::Function on_exit, int *error) {
    PidfdPoll *self = new PidfdPoll(env, std::move(fd), on_exit);
    *error = -uv_poll_init(self->loop(), &self->poll_, self->fd_.Get());
    if (*error != 0) {
      self->Discard();
      return nullptr;
    }
    self->Opened(self->handle());
    *error = -uv_poll_start(&self->poll_, UV_READABLE, [](uv_poll_t *poll, int, int) {
      static_cast<PidfdPoll *>(static_cast<LoopHandle *>(poll->data))->Exited();
    });
    if (*error == 0) return self;
    self->Close();
    return nullptr;
  }

  int fd() const { return fd_.Get(); }
  uv_handle_t *handle() { return reinterpret_cast<uv_handle_t *>(&poll_); }

  // Where to say that this object is gone.
  void set_owner(PidfdPoll **owner) { owner_ = owner; }

 protected:
  void OnClose() override {
    uv_poll_stop(&poll_);
    fd_.Reset();
    on_exit_.Reset();
    context_.reset();
    if (owner_ != nullptr) *owner_ = nullptr;
  }

 private:
  PidfdPoll(Napi::Env env, UniqueFd fd, Napi::Function on_exit)
      : LoopHandle(env),
        env_(env),
        fd_(std::move(fd)),
        on_exit_(Napi::Persistent(on_exit)),
        context_(std::make_unique<Napi::AsyncContext>(env, "covirt:pidfd")) {}

  void Exited() {
    const Napi::HandleScope scope(env_);
    const Napi::Function on_exit = on_exit_.Value();
    const std::unique_ptr<Napi::AsyncContext> context = std::move(context_);
    Close();
    try {
      on_exit.MakeCallback(env_.Global(), 0, nullptr, *context);
    } catch (const Napi::Error &error) {
      napi_fatal_exception(env_, error.Value());
    }
  }

  Napi::Env env_;
  uv_poll_t poll_;
  UniqueFd fd_;
  Napi::FunctionReference on_exit_;
  std::unique_ptr<Napi::AsyncContext> context_;
  PidfdPoll **owner_ = nullptr;
};

class PidfdWatcher : public Napi::ObjectWrap<PidfdWatcher> {
 public:
  static Napi::Function Define(Napi::Env env) {
    return DefineClass(env, "PidfdWatcher",
                       {InstanceMethod<&PidfdWatcher::Kill>("kill"), InstanceMethod<&PidfdWatcher::Hold>("ref"),
                        InstanceMethod<&PidfdWatcher::Release>("unref"),
                        InstanceMethod<&PidfdWatcher::Close>("close")});
  }

  // (fd, onExit): owns the descriptor from here on.
  explicit PidfdWatcher(const Napi::CallbackInfo &info) : Napi::ObjectWrap<PidfdWatcher>(info) {
    int error = 0;
    poll_ = PidfdPoll::Open(info.Env(), UniqueFd(info[0].As<Napi::Number>()), info[1].As<Napi::Function>(), &error);
    if (poll_ == nullptr) throw SystemError(info.Env(), error, "epoll_ctl");
    poll_->set_owner(&poll_);
  }

  // A watcher that nobody can close any more still reports the exit.
  ~PidfdWatcher() override {
    if (poll_ != nullptr) poll_->set_owner(nullptr);
  }

 private:
  Napi::Value Kill(const Napi::CallbackInfo &info) {
    const int signal = info[0].As<Napi::Number>();
    if (poll_ == nullptr) throw SystemError(info.Env(), ESRCH, "pidfd_send_signal");
    if (syscall(SYS_pidfd_send_signal, poll_->fd(), signal, nullptr, 0) != 0) {
      throw SystemError(info.Env(), errno, "pidfd_send_signal");
    }
    return info.Env().Undefined();
  }

  Napi::Value Hold(const Napi::CallbackInfo &info) {
    if (poll_ != nullptr) uv_ref(poll_->handle());
    return info.Env().Undefined();
  }

  Napi::Value Release(const Napi::CallbackInfo &info) {
    if (poll_ != nullptr) uv_unref(poll_->handle());
    return info.Env().Undefined();
  }

  Napi::Value Close(const Napi::CallbackInfo &info) {
    if (poll_ != nullptr) poll_->Close();
    return info.Env().Undefined();
  }

  PidfdPoll *poll_ = nullptr;
};

Napi::Value PidfdOpen(const Napi::CallbackInfo &info) {
  const int fd = static_cast<int>(syscall(SYS_pidfd_open, info[0].As<Napi::Number>().Int32Value(), 0));
  if (fd < 0) throw SystemError(info.Env(), errno, "pidfd_open");
  return Napi::Number::New(info.Env(), fd);
}

}  // namespace

void ExportPidfd(Napi::Env env, Napi::Object exports) {
  exports["pidfdOpen"] = Napi::Function::New(env, PidfdOpen, "pidfdOpen");
  exports["PidfdWatcher"] = PidfdWatcher::Define(env);
}

}  // namespace covirt
