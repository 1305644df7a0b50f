#include "program/hold.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "program/gate-address.h"

namespace covirt {

namespace {

// Longer than the gate waits: this is for a gate that hangs, which would leave init stopped for ever.
constexpr int kPatienceMs = 30 * 1000;

void Say(int gate, const char *text) { send(gate, text, strlen(text), MSG_NOSIGNAL); }

// Goes through the changes of init's state that are there to be read. False: it has ended.
bool Attend(int gate, pid_t pid, bool *held) {
  int status;
  while (waitpid(pid, &status, __WALL | WNOHANG) == pid) {
    if (!WIFSTOPPED(status)) return false;
    const int event = status >> 16;
    if (event == PTRACE_EVENT_EXEC) {
      *held = true;
      Say(gate, kHeld);
    } else {
      ptrace(PTRACE_CONT, pid, nullptr, event != 0 ? 0 : WSTOPSIG(status));
    }
  }
  return true;
}

void TraceUntilReleased(int gate, pid_t pid, int signals) {
  bool held = false;
  for (;;) {
    struct pollfd events[] = {{gate, POLLIN, 0}, {signals, POLLIN, 0}};
    if (poll(events, 2, kPatienceMs) <= 0 || events[0].revents != 0) break;
    struct signalfd_siginfo info;
    if (read(signals, &info, sizeof info) < 0 && errno != EAGAIN) break;
    if (!Attend(gate, pid, &held)) return;
  }
  // Before this process ends and, by that, closes the gate: who waits for that counts on init being free. One that
  // is not stopped cannot be detached from, and is let go by the kernel.
  if (held) ptrace(PTRACE_DETACH, pid, nullptr, nullptr);
}

// The process that stays. liblxc waits for all that holds the hook's output open, hence the order here.
void Stay(const char *gate_name, int seized) {
  GateAddress address(gate_name);
  const int gate = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  // Nobody is there: this is a restart of the container.
  if (gate < 0 || connect(gate, address.get(), address.size()) != 0) return;
  const char *text = getenv("LXC_PID");
  const pid_t pid = text == nullptr ? 0 : atoi(text);
  if (pid <= 0) return Say(gate, "liblxc does not tell its init's number");
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  signal(SIGCHLD, SIG_DFL);
  sigprocmask(SIG_BLOCK, &child, nullptr);
  const int signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (signals < 0 || null < 0 || ptrace(PTRACE_SEIZE, pid, nullptr, PTRACE_O_TRACEEXEC) != 0) {
    char reason[128];
    snprintf(reason, sizeof reason, "its init cannot be traced: %s", strerror(errno));
    return Say(gate, reason);
  }
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) dup2(null, fd);
  close(seized);
  TraceUntilReleased(gate, pid, signals);
}

}  // namespace

int Hold(const char *gate_name) {
  int seized[2];
  if (pipe2(seized, O_CLOEXEC) != 0) return 0;
  if (fork() == 0) {
    setsid();
    Stay(gate_name, seized[1]);
    _exit(0);
  }
  close(seized[1]);
  char none;
  while (read(seized[0], &none, 1) < 0 && errno == EINTR) {
  }
  return 0;
}

}  // namespace covirt
