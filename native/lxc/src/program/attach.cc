#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "program/verbs.h"

namespace covirt {

namespace {

// Runs inside the container. Dies with us, so that killing covirt-lxc ends what it runs.
int Execute(void *argument) {
  char **argv = static_cast<char **>(argument);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  execvp(argv[0], argv);
  const int error = errno;
  dprintf(STDERR_FILENO, "%s: %s\n", argv[0], strerror(error));
  return error == ENOENT ? 127 : 126;
}

}  // namespace

int Attach(const Job &job) {
  lxc_container *c = job.container;
  const Options &options = job.options;
  if (options.control_fd >= 0) fcntl(options.control_fd, F_SETFD, FD_CLOEXEC);
  FILE *control = options.control_fd >= 0 ? fdopen(options.control_fd, "w") : stderr;
  if (control == nullptr) return kFailed;
  setlinebuf(control);
  if (options.argv == nullptr) {
    return Fail(options, job.log, control, EINVAL, "no program to run");
  }
  if (!c->is_running(c)) return Fail(options, job.log, control, ESRCH, "the container is not running");
  lxc_attach_options_t attach = LXC_ATTACH_OPTIONS_DEFAULT;
  attach.env_policy = LXC_ATTACH_CLEAR_ENV;
  attach.extra_env_vars = options.env;
  attach.initial_cwd = const_cast<char *>(options.cwd ? options.cwd : "/");
  if (options.uid >= 0) attach.uid = static_cast<uid_t>(options.uid);
  if (options.gid >= 0) attach.gid = static_cast<gid_t>(options.gid);
  pid_t pid = -1;
  if (c->attach(c, Execute, options.argv, &attach, &pid) != 0) {
    return Fail(options, job.log, control, 0, "the program could not be brought into the container");
  }
  fprintf(control, "{\"pid\":%d}\n", pid);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0) {
    if (errno != EINTR) return Fail(options, job.log, control, errno, "the program was lost");
  }
  if (WIFSIGNALED(status)) {
    fprintf(control, "{\"exit\":{\"signal\":%d}}\n", WTERMSIG(status));
  } else {
    fprintf(control, "{\"exit\":{\"code\":%d}}\n", WEXITSTATUS(status));
  }
  return 0;
}

}  // namespace covirt
