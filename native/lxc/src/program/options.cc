#include "program/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

namespace covirt {

namespace {

bool ParseNumber(const char *text, int *number) {
  char *end = nullptr;
  const long value = strtol(text, &end, 10);
  if (*text == '\0' || *end != '\0' || value < 0 || value > 0x7fffffff) return false;
  *number = static_cast<int>(value);
  return true;
}

// At most one value each per argument: it cannot overflow.
char **NewList(int argc) { return static_cast<char **>(calloc(static_cast<size_t>(argc), sizeof(char *))); }

}  // namespace

const char *ParseOptions(int argc, char **argv, Options *options) {
  if (argc < 2) return "usage: covirt-lxc start|attach|filter|interfaces|files|link|mount --path DIR --name NAME ...";
  options->verb = argv[1];
  options->idmaps = NewList(argc);
  options->stages = NewList(argc);
  options->routes = NewList(argc);
  options->cgroups = NewList(argc);
  if (options->idmaps == nullptr || options->stages == nullptr || options->routes == nullptr ||
      options->cgroups == nullptr) {
    return "out of memory";
  }
  int idmap_count = 0;
  int stage_count = 0;
  int route_count = 0;
  int cgroup_count = 0;
  for (int i = 2; i < argc; i++) {
    const char *option = argv[i];
    if (strcmp(option, "--") == 0) {
      if (i + 1 < argc) options->argv = argv + i + 1;
      break;
    }
    if (strcmp(option, "--paused") == 0) {
      options->paused = true;
      continue;
    }
    if (strcmp(option, "--no-new-privileges") == 0) {
      options->no_new_privileges = true;
      continue;
    }
    if (i + 1 >= argc) return "an option lacks its value";
    char *value = argv[++i];
    if (strcmp(option, "--path") == 0) {
      options->path = value;
    } else if (strcmp(option, "--name") == 0) {
      options->name = value;
    } else if (strcmp(option, "--config") == 0) {
      options->config_file = value;
    } else if (strcmp(option, "--log-file") == 0) {
      options->log_file = value;
    } else if (strcmp(option, "--log-level") == 0) {
      options->log_level = value;
    } else if (strcmp(option, "--cwd") == 0) {
      options->cwd = value;
    } else if (strcmp(option, "--root") == 0) {
      options->root = value;
    } else if (strcmp(option, "--uid-map") == 0) {
      options->uid_map = value;
    } else if (strcmp(option, "--gid-map") == 0) {
      options->gid_map = value;
    } else if (strcmp(option, "--namespaces") == 0) {
      if (!ParseNumber(value, &options->namespaces)) return "--namespaces is not a number";
    } else if (strcmp(option, "--tty") == 0) {
      if (sscanf(value, "%hux%hu", &options->columns, &options->rows) != 2) return "--tty is not a size";
    } else if (strcmp(option, "--idmap") == 0) {
      if (strncmp(value, "u ", 2) != 0 && strncmp(value, "g ", 2) != 0) return "--idmap is for neither u nor g";
      options->idmaps[idmap_count++] = value;
    } else if (strcmp(option, "--stage") == 0) {
      options->stages[stage_count++] = value;
    } else if (strcmp(option, "--route") == 0) {
      options->routes[route_count++] = value;
    } else if (strcmp(option, "--cgroup") == 0) {
      options->cgroups[cgroup_count++] = value;
    } else if (strcmp(option, "--unified-cgroup") == 0) {
      options->unified_cgroup = value;
    } else if (strcmp(option, "--init") == 0) {
      options->init = value;
    } else if (strcmp(option, "--filter") == 0) {
      options->filter = value;
    } else if (strcmp(option, "--uid") == 0) {
      if (!ParseNumber(value, &options->uid)) return "--uid is not a number";
    } else if (strcmp(option, "--gid") == 0) {
      if (!ParseNumber(value, &options->gid)) return "--gid is not a number";
    } else if (strcmp(option, "--control-fd") == 0) {
      if (!ParseNumber(value, &options->control_fd)) return "--control-fd is not a number";
    } else {
      return "unknown option";
    }
  }
  if (options->path == nullptr || options->name == nullptr) return "--path and --name are needed";
  return nullptr;
}

}  // namespace covirt
