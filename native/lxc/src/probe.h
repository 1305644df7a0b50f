// Whether liblxc can be used here.
#pragma once

#include <napi.h>

namespace covirt {

void ExportProbe(Napi::Env env, Napi::Object exports);

}  // namespace covirt
