// A container's terminals and the ring buffer of its console.
#pragma once

#include <napi.h>

namespace covirt {

void ExportConsole(Napi::Env env, Napi::Object exports);

}  // namespace covirt
