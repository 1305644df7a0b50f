// liblxc, opened at run time, so that the addon loads where it is not installed.
#pragma once

#include <limits.h>
#include <stddef.h>

#include <lxc/lxccontainer.h>

namespace covirt {

// Functions that every supported liblxc (5.0 and later) has; those of a container are members of
// struct lxc_container, to which newer versions only append.
struct LibLxc {
  decltype(&::lxc_get_version) get_version;
  decltype(&::lxc_has_api_extension) has_api_extension;
  decltype(&::lxc_container_new) container_new;
  decltype(&::lxc_container_put) container_put;
  decltype(&::list_active_containers) list_active;
  decltype(&::lxc_log_init) log_init;
  char library[PATH_MAX];  // where the dynamic linker found it
};

// Opens liblxc.so.1, or the file that the environment variable COVIRT_LIBLXC names. False, with a sentence
// in `reason`, where that cannot be done. The library is never closed again.
bool OpenLibLxc(LibLxc *lib, char *reason, size_t reason_size);

}  // namespace covirt
