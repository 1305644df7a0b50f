#include "reply.h"

namespace covirt {

namespace {

struct Converter {
  Napi::Env env;

  Napi::Value operator()(Nothing &) { return env.Undefined(); }
  Napi::Value operator()(Failure &) { return env.Undefined(); }
  Napi::Value operator()(int &value) { return Napi::Number::New(env, value); }
  Napi::Value operator()(std::string &value) { return Napi::String::New(env, value); }
  Napi::Value operator()(Bytes &value) {
    return Napi::Buffer<char>::Copy(env, value.data.data(), value.data.size());
  }
  Napi::Value operator()(std::vector<std::string> &values) {
    Napi::Array result = Napi::Array::New(env, values.size());
    for (uint32_t i = 0; i < values.size(); i++) result.Set(i, values[i]);
    return result;
  }
  Napi::Value operator()(InitPidfd &init) {
    Napi::Object result = Napi::Object::New(env);
    result["pid"] = Napi::Number::New(env, init.pid);
    result["fd"] = Napi::Number::New(env, init.fd.Release());
    return result;
  }
  Napi::Value operator()(Tty &tty) {
    Napi::Object result = Napi::Object::New(env);
    result["tty"] = Napi::Number::New(env, tty.number);
    result["master"] = Napi::Number::New(env, tty.master.Release());
    result["connection"] = Napi::Number::New(env, tty.connection.Release());
    return result;
  }
};

}  // namespace

Napi::Value ToValue(Napi::Env env, Reply *reply) { return std::visit(Converter{env}, *reply); }

}  // namespace covirt
