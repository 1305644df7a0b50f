// The command line of covirt-lxc. No C++ runtime here and in its neighbours: see binding.gyp.
#pragma once

namespace covirt {

struct Options {
  const char *verb = nullptr;
  const char *path = nullptr;
  const char *name = nullptr;
  const char *config_file = nullptr;
  const char *log_file = nullptr;
  const char *log_level = "ERROR";
  const char *cwd = nullptr;
  const char *root = nullptr;
  const char *uid_map = nullptr;  // of what is below root: "FIRST:ON-DISK:COUNT,..."
  const char *gid_map = nullptr;
  int uid = -1;
  int gid = -1;
  int control_fd = -1;
  bool paused = false;
  int namespaces = 0;  // of clone(2); 0 for all
  unsigned short columns = 0;
  unsigned short rows = 0;
  char **idmaps = nullptr;  // as the values of lxc.idmap, ends with a null
  char **stages = nullptr;  // file systems to make ready, see stage.cc, ends with a null
  char **routes = nullptr;  // to set at each boot, see routes.h, ends with a null
  char **cgroups = nullptr;  // of the container, in hierarchies of version 1, ends with a null
  const char *unified_cgroup = nullptr;  // in that of version 2
  const char *init = nullptr;  // of the container: "PID:START", the latter in clock ticks since boot
  const char *filter = nullptr;  // of its system calls, in hexadecimal digits
  bool no_new_privileges = false;
  char **argv = nullptr;  // what follows "--", ends with a null; null where nothing does
};

// Null, or what is wrong with the command line.
const char *ParseOptions(int argc, char **argv, Options *options);

}  // namespace covirt
