// covirt-lxc: the operations of liblxc that fork, one per run, and what else is better done by a process that can be killed.
//
// liblxc forks without exec and moves its caller into the container's monitor cgroup. Done here, in a small
// program of one thread that then ends, a monitor is a small process, and the caller stays where it was.
// A result is one JSON line on stdout; an error one JSON line on stderr, and exit code 1.
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "program/copy.h"
#include "program/hold.h"
#include "program/json.h"
#include "program/remove.h"
#include "program/own-groups.h"
#include "program/routes.h"
#include "program/verbs.h"

namespace covirt {

int Fail(const Options &options, const Log &log, FILE *out, int error, const char *message) {
  fprintf(out, "{\"error\":{\"op\":");
  WriteJsonString(out, options.verb ? options.verb : "");
  fprintf(out, ",\"name\":");
  WriteJsonString(out, options.name ? options.name : "");
  fprintf(out, ",\"errno\":%d,\"message\":", error);
  WriteJsonString(out, message);
  fprintf(out, ",\"cgroup\":");
  WriteJsonString(out, OwnGroups());
  fprintf(out, ",\"log\":");
  log.WriteErrors(out);
  fprintf(out, "}}\n");
  fflush(out);
  return kFailed;
}

namespace {

bool HasConfiguration(const Options &options) {
  char path[PATH_MAX];
  const int length = snprintf(path, sizeof path, "%s/%s/config", options.path, options.name);
  return length >= 0 && static_cast<size_t>(length) < sizeof path && access(path, F_OK) == 0;
}

struct Verb {
  const char *name;
  int (*run)(const Job &job);
};

constexpr Verb kVerbs[] = {{"start", Start}, {"attach", Attach}, {"filter", Filter}, {"interfaces", Interfaces}, {"files", Files},   {"link", Link},       {"mount", Mount}};

int Main(int argc, char **argv) {
  // Run by liblxc, which adds words of its own to the command.
  if (argc > 2 && strcmp(argv[1], "hold") == 0) return Hold(argv[2]);
  if (argc > 2 && strcmp(argv[1], "routes") == 0) {
    const int count = atoi(argv[2]);
    return count < 0 || count > argc - 3 ? kFailed : Routes(count, argv + 3);
  }
  if (argc == 4 && strcmp(argv[1], "copy") == 0) return Copy(argv[2], argv[3]);
  if (argc == 3 && strcmp(argv[1], "remove") == 0) return Remove(argv[2]);
  Options options;
  Log log;
  const auto fail = [&](int error, const char *message) {
    FILE *control = options.control_fd < 0 ? nullptr : fdopen(options.control_fd, "w");
    return Fail(options, log, control != nullptr ? control : stderr, error, message);
  };
  const char *mistake = ParseOptions(argc, argv, &options);
  if (mistake != nullptr) return fail(EINVAL, mistake);
  const Verb *verb = nullptr;
  for (const Verb &known : kVerbs) {
    if (strcmp(known.name, options.verb) == 0) verb = &known;
  }
  if (verb == nullptr) return fail(EINVAL, "unknown verb");
  if (options.init != nullptr && verb->run == Attach) {
    const int code = AttachDirectly(options);
    if (code >= 0) return code;
  }
  LibLxc lib;
  char reason[1024];
  if (!OpenLibLxc(&lib, reason, sizeof reason)) return fail(ENOENT, reason);
  if (!log.Open(lib, options)) return fail(errno, "the log file cannot be written");
  lxc_container *container = lib.container_new(options.name, options.path);
  if (container == nullptr) {
    // It goes when the container has ended.
    if (!HasConfiguration(options)) return fail(ESRCH, "the container is not running");
    return fail(EINVAL, "liblxc cannot read the container's configuration");
  }
  const int code = verb->run(Job{lib, options, log, container});
  lib.container_put(container);
  return code;
}

}  // namespace

}  // namespace covirt

int main(int argc, char **argv) { return covirt::Main(argc, argv); }
