// What Node's net lacks of unix(7): who the peer is, passing descriptors, datagrams.
#pragma once

#include <napi.h>

namespace covirt {

void ExportUnixSocket(Napi::Env env, Napi::Object exports);

}  // namespace covirt
