// Calls on a container that do not fork: state, configuration, cgroup values, signals.
#pragma once

#include <napi.h>

namespace covirt {

void ExportContainer(Napi::Env env, Napi::Object exports);

}  // namespace covirt
