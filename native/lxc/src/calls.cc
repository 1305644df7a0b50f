#include "calls.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#include <mutex>
#include <utility>

#include "environment.h"

namespace covirt {

// Outlives the environment: a thread may come back long after that ended.
struct Mailbox {
  std::mutex mutex;
  uv_async_t *async = nullptr;  // null once nobody reads
  std::vector<std::pair<uint64_t, Reply>> replies;
};

namespace {

struct Task {
  uint64_t id;
  Work work;
  std::shared_ptr<Mailbox> mailbox;
};

void *RunTask(void *argument) {
  const std::unique_ptr<Task> task(static_cast<Task *>(argument));
  Reply reply = task->work();
  const std::lock_guard<std::mutex> lock(task->mailbox->mutex);
  if (task->mailbox->async == nullptr) return nullptr;
  task->mailbox->replies.emplace_back(task->id, std::move(reply));
  uv_async_send(task->mailbox->async);
  return nullptr;
}

// Signals are the main thread's business.
int StartThread(Task *task) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  const int error = pthread_create(&thread, &attributes, RunTask, task);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  return error;
}

}  // namespace

Calls::Calls(Napi::Env env)
    : LoopHandle(env),
      env_(env),
      mailbox_(std::make_shared<Mailbox>()),
      context_(std::make_unique<Napi::AsyncContext>(env, "covirt:lxc")) {
  // Cannot fail: the loop is this environment's own.
  uv_async_init(loop(), &async_, [](uv_async_t *async) {
    static_cast<Calls *>(static_cast<LoopHandle *>(async->data))->Deliver();
  });
  Opened(handle());
  uv_unref(handle());
  mailbox_->async = &async_;
}

Napi::Promise Calls::Run(Work work) {
  auto deferred = Napi::Promise::Deferred::New(env_);
  Pending pending{deferred, Napi::Persistent(Napi::Error::New(env_, "").Value().As<Napi::Object>())};
  const uint64_t id = next_id_++;
  auto task = std::make_unique<Task>(Task{id, std::move(work), mailbox_});
  if (const int error = StartThread(task.get())) {
    Reply reply = Failure{error, std::string("no thread could be started: ") + strerror(error)};
    Settle(&pending, &reply);
    return deferred.Promise();
  }
  task.release();
  if (pending_.empty()) uv_ref(handle());
  pending_.emplace(id, std::move(pending));
  return deferred.Promise();
}

void Calls::Deliver() {
  std::vector<std::pair<uint64_t, Reply>> replies;
  {
    const std::lock_guard<std::mutex> lock(mailbox_->mutex);
    replies.swap(mailbox_->replies);
  }
  const Napi::HandleScope scope(env_);
  for (auto &[id, reply] : replies) {
    auto found = pending_.find(id);
    Pending pending = std::move(found->second);
    pending_.erase(found);
    if (pending_.empty()) uv_unref(handle());
    // One scope a reply: its end runs what waited for the promise, which may start further calls.
    const Napi::CallbackScope callback(env_, *context_);
    Settle(&pending, &reply);
  }
}

void Calls::Settle(Pending *pending, Reply *reply) {
  if (const Failure *failure = std::get_if<Failure>(reply)) {
    Napi::Object error = pending->error.Value();
    error["message"] = Napi::String::New(env_, failure->message);
    if (failure->error != 0) {
      error["errno"] = Napi::Number::New(env_, -failure->error);
      error["code"] = Napi::String::New(env_, uv_err_name(-failure->error));
    }
    pending->deferred.Reject(error);
  } else {
    pending->deferred.Resolve(ToValue(env_, reply));
  }
}

void Calls::OnClose() {
  {
    const std::lock_guard<std::mutex> lock(mailbox_->mutex);
    mailbox_->async = nullptr;
    mailbox_->replies.clear();
  }
  pending_.clear();
  context_.reset();
}

Napi::Value CallContainer(const Napi::CallbackInfo &info, ContainerWork work) {
  const std::string path = info[0].As<Napi::String>();
  const std::string name = info[1].As<Napi::String>();
  Environment &environment = Environment::Of(info.Env());
  return environment.calls().Run([lib = environment.RequireLibLxc(info.Env()), path, name, work]() -> Reply {
    lxc_container *container = lib->container_new(name.c_str(), path.c_str());
    if (container == nullptr) {
      return Failure{EINVAL, "liblxc cannot read the container's configuration " + path + "/" + name + "/config"};
    }
    Reply reply = work(container);
    lib->container_put(container);
    return reply;
  });
}

}  // namespace covirt
