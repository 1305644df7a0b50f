#include <errno.h>
#include <linux/close_range.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <initializer_list>

#include "program/enter.h"
#include "program/id-map.h"
#include "program/member.h"
#include "program/supervisor.h"
#include "program/terminal.h"
#include "program/verbs.h"

extern char **environ;

namespace covirt {

namespace {

// Variables of ours that are the program's: on a command line all users of the host could read them.
constexpr char kEnvPrefix = '@';

struct Program {
  char **argv;
  // Where the terminal's master goes; -1 for none.
  int terminal;
  unsigned short columns;
  unsigned short rows;
  const char *cwd;
  // To who adopts it; -1 where it is our child from the beginning.
  int link;
  // Its variables, where liblxc does not see to them.
  char **env;
};

// Runs inside the container. Dies with us, so that killing covirt-lxc ends what it runs.
int Execute(void *argument) {
  const Program &program = *static_cast<Program *>(argument);
  if (program.link < 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
  } else if (!AwaitAdoption(program.link)) {
    return 126;
  }
  if (program.env != nullptr) environ = program.env;
  setsid();
  if (program.terminal >= 0 && !TakeTerminal(program.terminal, program.columns, program.rows)) {
    dprintf(STDERR_FILENO, "no terminal can be opened: %s\n", strerror(errno));
    return 126;
  }
  // Not left to liblxc, which goes on elsewhere where that fails.
  if (chdir(program.cwd) != 0) {
    dprintf(STDERR_FILENO, "%s: %s\n", program.cwd, strerror(errno));
    return 126;
  }
  execvp(program.argv[0], program.argv);
  const int error = errno;
  dprintf(STDERR_FILENO, "%s: %s\n", program.argv[0], strerror(error));
  return error == ENOENT ? 127 : 126;
}

// As liblxc has it: many programs take it for granted that there is a PATH.
char kDefaultPath[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
char kInContainer[] = "container=lxc";

// The variables that the program is to have, `first` before them; ours are shifted by one.
char **ProgramEnvironment(std::initializer_list<char *> first) {
  size_t count = first.size();
  for (char **entry = environ; *entry != nullptr; entry++) count++;
  char **env = static_cast<char **>(calloc(count + 1, sizeof(char *)));
  size_t at = 0;
  for (char *variable : first) {
    if (env != nullptr) env[at++] = variable;
  }
  for (char **entry = environ; env != nullptr && *entry != nullptr; entry++) {
    if (**entry == kEnvPrefix) env[at++] = *entry + 1;
  }
  return env;
}

unsigned InnerId(int id) { return id < 0 ? 0 : static_cast<unsigned>(id); }

// What a program opens as /dev/stdout is the pipe again, which it may only where it owns that.
void GivePipes(uid_t uid, gid_t gid) {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
    struct stat stat;
    if (fstat(fd, &stat) == 0 && S_ISFIFO(stat.st_mode) && fchown(fd, uid, gid) != 0) continue;
  }
}

struct Entry {
  lxc_container *container;
  lxc_attach_options_t *attach;
  Program *program;
};

// Of a container that ends at this moment liblxc claims to have brought a program into it.
pid_t Enter(const Entry &entry) {
  lxc_container *c = entry.container;
  pid_t pid = -1;
  return c->attach(c, Execute, entry.program, entry.attach, &pid) == 0 && pid > 0 ? pid : -1;
}

pid_t EnterFromWithin(void *argument, int link) {
  const Entry &entry = *static_cast<Entry *>(argument);
  entry.program->link = link;
  entry.attach->attach_flags &= ~LXC_ATTACH_MOVE_TO_CGROUP;
  return Enter(entry);
}

// Where it cannot be done in the quick way it is done in liblxc's, which also tells why it cannot be done at all.
pid_t Enter(Entry *entry, const Options &options, pid_t init) {
  if (options.unified_cgroup != nullptr || options.cgroups[0] != nullptr) {
    const Groups groups = {options.cgroups, options.unified_cgroup, HostId(init, "uid_map", 0), HostId(init, "gid_map", 0)};
    const pid_t pid = AttachFromWithin(groups, EnterFromWithin, entry);
    if (pid > 0) return pid;
  }
  return Enter(*entry);
}

// Stays with the program until its end; negative, with errno, where it was lost.
int Attend(pid_t pid, FILE *control, const Options &options, const int (&terminal)[2]) {
  fprintf(control, "{\"pid\":%d}\n", pid);
  int master = -1;
  if (terminal[1] >= 0) {
    close(terminal[1]);
    master = ReceiveTerminal(terminal[0]);
    close(terminal[0]);
  }
  return Supervisor(pid, options.control_fd, master).Run(control);
}

}  // namespace

int Attach(const Job &job) {
  lxc_container *c = job.container;
  const Options &options = job.options;
  if (options.control_fd < 0) return Fail(options, job.log, stderr, EINVAL, "--control-fd is needed");
  // Whatever our parents have left open is none of the container's.
  if (close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) != 0) return kFailed;
  FILE *control = fdopen(options.control_fd, "w");
  if (control == nullptr) return kFailed;
  setlinebuf(control);
  const auto fail = [&](int error, const char *message) {
    return Fail(options, job.log, control, error, message);
  };
  if (options.argv == nullptr) return fail(EINVAL, "no program to run");
  if (!c->is_running(c)) return fail(ESRCH, "the container is not running");
  lxc_attach_options_t attach = LXC_ATTACH_OPTIONS_DEFAULT;
  attach.env_policy = LXC_ATTACH_CLEAR_ENV;
  attach.extra_env_vars = ProgramEnvironment({});
  attach.initial_cwd = const_cast<char *>("/");
  if (options.namespaces > 0) attach.namespaces = options.namespaces;
  if (options.uid >= 0) attach.uid = static_cast<uid_t>(options.uid);
  if (options.gid >= 0) attach.gid = static_cast<gid_t>(options.gid);
  int terminal[2] = {-1, -1};
  if (options.columns > 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, terminal) != 0) {
    return fail(errno, "no socket can be made");
  }
  const pid_t init = c->init_pid(c);
  GivePipes(HostId(init, "uid_map", InnerId(options.uid)), HostId(init, "gid_map", InnerId(options.gid)));
  Program program = {options.argv, terminal[1], options.columns, options.rows, options.cwd ? options.cwd : "/", -1, nullptr};
  Entry entry = {c, &attach, &program};
  const pid_t pid = Enter(&entry, options, init);
  if (pid <= 0) return fail(c->is_running(c) ? 0 : ESRCH, "the program could not be brought into the container");
  const int status = Attend(pid, control, options, terminal);
  return status < 0 ? fail(errno, "the program was lost") : 0;
}

int AttachDirectly(const Options &options) {
  Confinement confinement;
  if (options.control_fd < 0 || options.argv == nullptr || options.namespaces > 0) return -1;
  if (close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) != 0) return -1;
  if (!ReadConfinement(options, &confinement)) return -1;
  int terminal[2] = {-1, -1};
  if (options.columns > 0 && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, terminal) != 0) return -1;
  GivePipes(confinement.user, confinement.group);
  char **env = ProgramEnvironment({kDefaultPath, kInContainer});
  Program program = {options.argv, terminal[1], options.columns, options.rows, options.cwd ? options.cwd : "/", -1, env};
  const Groups groups = {options.cgroups, options.unified_cgroup, confinement.owner, confinement.owner_group};
  const pid_t pid = env == nullptr ? -1 : Enter(confinement, groups, Execute, &program);
  FILE *control = pid > 0 ? fdopen(options.control_fd, "w") : nullptr;
  if (control == nullptr) {
    for (const int fd : {terminal[0], terminal[1], confinement.init}) close(fd);
    return -1;
  }
  close(confinement.init);
  setlinebuf(control);
  return Attend(pid, control, options, terminal) < 0 ? kFailed : 0;
}

}  // namespace covirt
