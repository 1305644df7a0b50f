#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "program/verbs.h"

namespace covirt {

namespace {

// By now it has the filter.
int Stay(void *argument) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int ready = *static_cast<int *>(argument);
  if (write(ready, "r", 1) != 1) return kFailed;
  for (;;) pause();
}

// How many instructions the filter has that was given `nth` to last; 0 where there is none, -1 with errno.
long FilterOf(pid_t pid, unsigned long nth, struct sock_filter *to) {
  const long count = ptrace(PTRACE_SECCOMP_GET_FILTER, pid, nth, to);
  return count < 0 && errno == ENOENT ? 0 : count;
}

// Stops a process; false, with errno, where it ends instead or may not be looked at.
bool Stop(pid_t pid) {
  int status = 0;
  if (ptrace(PTRACE_SEIZE, pid, 0, 0) != 0 || ptrace(PTRACE_INTERRUPT, pid, 0, 0) != 0) return false;
  if (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) return true;
  errno = ESRCH;
  return false;
}

const char *PrintFilter(pid_t pid) {
  static struct sock_filter filter[BPF_MAXINSNS];
  if (!Stop(pid)) return "a program of the container cannot be looked at";
  const long count = FilterOf(pid, 0, filter);
  // A second one would be none of liblxc's.
  if (count < 0 || count > BPF_MAXINSNS || FilterOf(pid, 1, nullptr) != 0) return "its filter cannot be told";
  printf("{\"filter\":\"");
  const unsigned char *bytes = reinterpret_cast<const unsigned char *>(filter);
  for (size_t i = 0; i < static_cast<size_t>(count) * sizeof *filter; i++) printf("%02x", bytes[i]);
  printf("\"}\n");
  return nullptr;
}

}  // namespace

int Filter(const Job &job) {
  lxc_container *c = job.container;
  const auto fail = [&](int error, const char *message) { return Fail(job.options, job.log, stderr, error, message); };
  if (!c->is_running(c)) return fail(ESRCH, "the container is not running");
  lxc_attach_options_t attach = LXC_ATTACH_OPTIONS_DEFAULT;
  // No process of the container sees this one, which could otherwise be given another filter before it is looked at.
  attach.namespaces = CLONE_NEWUTS;
  attach.attach_flags = LXC_ATTACH_LSM_EXEC;
  attach.env_policy = LXC_ATTACH_CLEAR_ENV;
  int ready[2];
  if (pipe2(ready, O_CLOEXEC) != 0) return fail(errno, "no pipe can be made");
  pid_t pid = -1;
  if (c->attach(c, Stay, &ready[1], &attach, &pid) != 0 || pid <= 0) {
    return fail(c->is_running(c) ? 0 : ESRCH, "no program could be brought into the container");
  }
  close(ready[1]);
  char word;
  const char *failure = read(ready[0], &word, 1) == 1 ? PrintFilter(pid) : "a program of the container has ended";
  const int error = errno;
  kill(pid, SIGKILL);
  while (waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  return failure == nullptr ? 0 : fail(error, failure);
}

}  // namespace covirt
