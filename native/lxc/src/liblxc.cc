#include "liblxc.h"

#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>

namespace covirt {

namespace {

template <typename Function>
bool Resolve(void *handle, const char *name, Function *function) {
  *function = reinterpret_cast<Function>(dlsym(handle, name));
  return *function != nullptr;
}

}  // namespace

bool OpenLibLxc(LibLxc *lib, char *reason, size_t reason_size) {
  const char *wanted = getenv("COVIRT_LIBLXC");
  if (wanted == nullptr || *wanted == '\0') wanted = "liblxc.so.1";
  // Lazy: most of the libraries that liblxc pulls in are never called, and start is timed.
  void *handle = dlopen(wanted, RTLD_LAZY | RTLD_LOCAL | RTLD_NODELETE);
  if (handle == nullptr) {
    const char *cause = dlerror();
    snprintf(reason, reason_size, "liblxc could not be opened: %s", cause ? cause : wanted);
    return false;
  }
  if (!Resolve(handle, "lxc_get_version", &lib->get_version) ||
      !Resolve(handle, "lxc_has_api_extension", &lib->has_api_extension) ||
      !Resolve(handle, "lxc_container_new", &lib->container_new) ||
      !Resolve(handle, "lxc_container_put", &lib->container_put) ||
      !Resolve(handle, "list_active_containers", &lib->list_active) ||
      !Resolve(handle, "lxc_log_init", &lib->log_init)) {
    snprintf(reason, reason_size, "%s is not a usable liblxc: %s", wanted, dlerror());
    dlclose(handle);
    return false;
  }
  // struct lxc_container ends with devpts_fd since 4.0.5; what is called of it lies before that.
  if (atoi(lib->get_version()) < 5) {
    snprintf(reason, reason_size, "liblxc %s is too old, 5.0 or later is needed", lib->get_version());
    dlclose(handle);
    return false;
  }
  struct link_map *map = nullptr;
  const bool mapped = dlinfo(handle, RTLD_DI_LINKMAP, &map) == 0 && map != nullptr;
  snprintf(lib->library, sizeof lib->library, "%s", mapped ? map->l_name : wanted);
  return true;
}

}  // namespace covirt
