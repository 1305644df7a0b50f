// Starting a program at a cost that does not grow with the memory of this process.
#pragma once

#include <napi.h>

namespace covirt {

void ExportChild(Napi::Env env, Napi::Object exports);

}  // namespace covirt
