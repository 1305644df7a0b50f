#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "program/hold.h"
#include "program/json.h"
#include "program/own-groups.h"
#include "program/routes.h"
#include "program/stage.h"
#include "program/verbs.h"

namespace covirt {

namespace {

enum class Exec { kDone, kExited, kUnknown };

bool SameFile(const struct stat &a, const struct stat &b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

// liblxc calls a container RUNNING before its init is executed, and so also one whose init does not exist.
// Until then that process is a fork of this program, and its /proc/PID/exe says so.
Exec AwaitExec(int pidfd, int pid) {
  struct stat own;
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/exe", pid);
  if (stat("/proc/self/exe", &own) != 0) return Exec::kUnknown;
  const struct timespec nap = {0, 100 * 1000};
  for (int tries = 0; tries < 20000; tries++) {
    struct pollfd exited = {pidfd, POLLIN, 0};
    if (poll(&exited, 1, 0) == 1) return Exec::kExited;
    struct stat init;
    if (stat(path, &init) == 0) {
      if (!SameFile(own, init)) return Exec::kDone;
    } else if (errno != ENOENT) {
      return Exec::kUnknown;  // not ours to look at: an unprivileged caller
    }
    nanosleep(&nap, nullptr);
  }
  return Exec::kUnknown;
}

constexpr struct timespec kNap = {0, 1000 * 1000};

// Returns once the monitor has cleaned up: until then it does not answer, or speaks of what is no more.
void AwaitStopped(lxc_container *c) {
  while (c->is_running(c)) nanosleep(&kNap, nullptr);
}

// The init after the one that ended: 0 if the container stopped, another process if it rebooted.
int AwaitSuccessor(lxc_container *c, int ended) {
  while (c->is_running(c)) {
    const int pid = c->init_pid(c);
    if (pid > 0 && pid != ended) return pid;
    nanosleep(&kNap, nullptr);
  }
  return 0;
}

// The monitor tells its state to a FIFO, and to us: where the reader has just gone, SIGPIPE would kill it, and its
// cgroups would stay for ever. A handler, not SIG_IGN, because exec takes it away from the container's init.
void SurviveBrokenPipes() {
  struct sigaction action = {};
  action.sa_handler = [](int) {};
  action.sa_flags = SA_RESTART;
  sigaction(SIGPIPE, &action, nullptr);
}

void AwaitEndOfInput() {
  char some[64];
  ssize_t length;
  do {
    length = read(STDIN_FILENO, some, sizeof some);
  } while (length > 0 || (length < 0 && errno == EINTR));
}

}  // namespace

int Start(const Job &job) {
  lxc_container *c = job.container;
  const auto fail = [&](int error, const char *message) {
    return Fail(job.options, job.log, stderr, error, message);
  };
  if (job.options.config_file != nullptr) {
    c->clear_config(c);
    if (!c->load_config(c, job.options.config_file)) {
      return fail(EINVAL, "the configuration file cannot be loaded");
    }
  } else if (!c->is_defined(c)) {
    return fail(ENOENT, "the container has no configuration file");
  }
  if (c->is_running(c)) return fail(EEXIST, "the container is already running");
  char reason[PATH_MAX + 256];
  if (!PrepareStages(c, job.options, reason, sizeof reason)) return fail(errno, reason);
  if (!SetRoutesAtStart(c, job.options.routes)) return fail(errno, "the hook that sets its routes cannot be set up");
  // liblxc would have newuidmap, where that is installed, write the maps of root's containers too; it refuses ids
  // that /etc/subuid does not give to root. Root may write them itself. Hooks run in a shell, which has a path of
  // its own.
  if (geteuid() == 0) unsetenv("PATH");
  SurviveBrokenPipes();
  c->want_daemonize(c, true);
  c->want_close_all_fds(c, true);
  Gate gate;
  char ran_because[256] = "";
  if (job.options.paused && !gate.Open(c)) {
    return fail(errno, "the hook that holds the container's init cannot be set up");
  }
  // Arguments instead of lxc.init.cmd, which cannot hold all that arguments can; the monitor keeps them for
  // each restart of the container.
  if (!c->start(c, 0, job.options.argv)) {
    AwaitStopped(c);
    // Init is gone, and who traced it goes with it.
    if (job.options.paused) gate.AwaitHeld(ran_because, sizeof ran_because);
    return fail(0, "the container could not be started");
  }
  const int pidfd = c->init_pidfd(c);
  const int pid = c->init_pid(c);
  if (job.options.paused && pid > 0 && gate.AwaitHeld(ran_because, sizeof ran_because)) {
    printf("{\"heldPid\":%d}\n", pid);
    fflush(stdout);
    AwaitEndOfInput();
    gate.Release();
    ran_because[0] = '\0';
  }
  const bool exited = pidfd < 0 || pid <= 0 || AwaitExec(pidfd, pid) == Exec::kExited;
  const int running = exited ? AwaitSuccessor(c, pid) : pid;
  if (running <= 0) return fail(ESRCH, "the container's init ended at once");
  printf("{\"initPid\":%d,\"cgroup\":", running);
  WriteJsonString(stdout, OwnGroups());
  if (ran_because[0] != '\0') {
    printf(",\"ranBecause\":");
    WriteJsonString(stdout, ran_because);
  }
  printf("}\n");
  // Who waits for it does so for nothing else.
  fflush(stdout);
  return 0;
}

}  // namespace covirt
