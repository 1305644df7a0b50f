#include <napi.h>

#include "child.h"
#include "console.h"
#include "container.h"
#include "environment.h"
#include "fd.h"
#include "pidfd.h"
#include "probe.h"
#include "unix-socket.h"

namespace {

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new covirt::Environment(env));
  covirt::ExportProbe(env, exports);
  covirt::ExportContainer(env, exports);
  covirt::ExportConsole(env, exports);
  covirt::ExportPidfd(env, exports);
  covirt::ExportFd(env, exports);
  covirt::ExportChild(env, exports);
  covirt::ExportUnixSocket(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(NODE_GYP_MODULE_NAME, Init)
