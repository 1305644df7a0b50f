// Processes by pidfd: their end without a thread, signals without a race.
#pragma once

#include <napi.h>

namespace covirt {

void ExportPidfd(Napi::Env env, Napi::Object exports);

}  // namespace covirt
