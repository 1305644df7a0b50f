// covirt-lxc: the operations of liblxc that fork, one per run.
//
// liblxc forks without exec and moves its caller into the container's monitor cgroup. Done here, in a small
// program of one thread that then ends, a monitor is a small process, and the caller stays where it was.
// A result is one JSON line on stdout; an error one JSON line on stderr, and exit code 1.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "program/hold.h"
#include "program/json.h"
#include "program/routes.h"
#include "program/verbs.h"

namespace covirt {

namespace {

// The content of /proc/self/cgroup, as far as it fits.
const char *ReadMembership(char *buffer, size_t size) {
  FILE *file = fopen("/proc/self/cgroup", "re");
  const size_t length = file ? fread(buffer, 1, size - 1, file) : 0;
  buffer[length] = '\0';
  if (file != nullptr) fclose(file);
  return buffer;
}

}  // namespace

int Fail(const Options &options, const Log &log, FILE *out, int error, const char *message) {
  fprintf(out, "{\"error\":{\"op\":");
  WriteJsonString(out, options.verb ? options.verb : "");
  fprintf(out, ",\"name\":");
  WriteJsonString(out, options.name ? options.name : "");
  fprintf(out, ",\"errno\":%d,\"message\":", error);
  WriteJsonString(out, message);
  char membership[8192];
  fprintf(out, ",\"cgroup\":");
  WriteJsonString(out, ReadMembership(membership, sizeof membership));
  fprintf(out, ",\"log\":");
  log.WriteErrors(out);
  fprintf(out, "}}\n");
  fflush(out);
  return kFailed;
}

namespace {

// The first process that is moved between control groups in a while waits until the kernel knows that no process is being
// forked anywhere: ten milliseconds and more. Those after it do not. So a process that is good for nothing else is moved to
// where it is already, and waits while the container is prepared; liblxc's own moves find that done, or come to share it.
void BeginMoves(const char *directory) {
  char path[PATH_MAX];
  const int length = snprintf(path, sizeof path, "%s/cgroup.procs", directory);
  if (length < 0 || static_cast<size_t>(length) >= sizeof path || fork() != 0) return;
  const int procs = open(path, O_WRONLY | O_CLOEXEC);
  // Who reads what we print does so until nobody can print any more.
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) close(fd);
  _exit(procs >= 0 && write(procs, "0", 1) == 1 ? 0 : 1);
}

struct Verb {
  const char *name;
  int (*run)(const Job &job);
};

constexpr Verb kVerbs[] = {{"start", Start}, {"attach", Attach}, {"interfaces", Interfaces}, {"files", Files},   {"link", Link},       {"mount", Mount}};

int Main(int argc, char **argv) {
  // Run by liblxc, which adds words of its own to the command.
  if (argc > 2 && strcmp(argv[1], "hold") == 0) return Hold(argv[2]);
  if (argc > 2 && strcmp(argv[1], "routes") == 0) {
    const int count = atoi(argv[2]);
    return count < 0 || count > argc - 3 ? kFailed : Routes(count, argv + 3);
  }
  Options options;
  Log log;
  const auto fail = [&](int error, const char *message) { return Fail(options, log, stderr, error, message); };
  const char *mistake = ParseOptions(argc, argv, &options);
  if (mistake != nullptr) return fail(EINVAL, mistake);
  const Verb *verb = nullptr;
  for (const Verb &known : kVerbs) {
    if (strcmp(known.name, options.verb) == 0) verb = &known;
  }
  if (verb == nullptr) return fail(EINVAL, "unknown verb");
  if (options.early_move != nullptr) BeginMoves(options.early_move);
  LibLxc lib;
  char reason[1024];
  if (!OpenLibLxc(&lib, reason, sizeof reason)) return fail(ENOENT, reason);
  if (!log.Open(lib, options)) return fail(errno, "the log file cannot be written");
  lxc_container *container = lib.container_new(options.name, options.path);
  if (container == nullptr) return fail(EINVAL, "liblxc cannot read the container's configuration");
  const int code = verb->run(Job{lib, options, log, container});
  lib.container_put(container);
  return code;
}

}  // namespace

}  // namespace covirt

int main(int argc, char **argv) { return covirt::Main(argc, argv); }
