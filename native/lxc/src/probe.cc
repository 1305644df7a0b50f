#include "probe.h"

#include <vector>

#include "environment.h"

namespace covirt {

std::shared_ptr<const LibLxc> Environment::FindLibLxc(std::string *reason) {
  if (lib_) return lib_;
  auto lib = std::make_shared<LibLxc>();
  char text[1024];
  if (OpenLibLxc(lib.get(), text, sizeof text)) {
    lib_ = std::move(lib);
  } else {
    *reason = text;
  }
  return lib_;
}

std::shared_ptr<const LibLxc> Environment::RequireLibLxc(Napi::Env env) {
  std::string reason;
  std::shared_ptr<const LibLxc> lib = FindLibLxc(&reason);
  if (lib) return lib;
  Napi::Error error = Napi::Error::New(env, reason);
  error.Set("code", Napi::String::New(env, "ENOENT"));
  throw error;
}

namespace {

Napi::Value Probe(const Napi::CallbackInfo &info) {
  Napi::Env env = info.Env();
  Napi::Object result = Napi::Object::New(env);
  std::string reason;
  const auto lib = Environment::Of(env).FindLibLxc(&reason);
  result["available"] = Napi::Boolean::New(env, lib != nullptr);
  if (!lib) {
    result["reason"] = Napi::String::New(env, reason);
    return result;
  }
  const Napi::Array asked = info[0].As<Napi::Array>();
  Napi::Array extensions = Napi::Array::New(env);
  for (uint32_t i = 0; i < asked.Length(); i++) {
    const Napi::Value name = asked[i];
    if (lib->has_api_extension(name.As<Napi::String>().Utf8Value().c_str())) {
      extensions.Set(extensions.Length(), name);
    }
  }
  result["version"] = Napi::String::New(env, lib->get_version());
  result["library"] = Napi::String::New(env, lib->library);
  result["extensions"] = extensions;
  return result;
}

}  // namespace

void ExportProbe(Napi::Env env, Napi::Object exports) {
  exports["probe"] = Napi::Function::New(env, Probe, "probe");
}

}  // namespace covirt
