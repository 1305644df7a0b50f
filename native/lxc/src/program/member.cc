#include "program/member.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace covirt {

namespace {

constexpr char kAdopted = 'a';

// As liblxc has it: where an init has divided its own group, only leaves take processes. The container's root owns it.
int OpenLeaf(const Groups &groups) {
  char path[PATH_MAX];
  const int length = snprintf(path, sizeof path, "%s/.lxc", groups.unified);
  if (length < 0 || static_cast<size_t>(length) >= sizeof path) return -1;
  const int before = setfsuid(groups.owner);
  const int group_before = setfsgid(groups.owner_group);
  const bool made = mkdir(path, 0755) == 0 || errno == EEXIST;
  setfsuid(static_cast<uid_t>(before));
  setfsgid(static_cast<gid_t>(group_before));
  return made ? open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
}

pid_t Fork(int leaf) {
  struct clone_args args = {};
  args.exit_signal = SIGCHLD;
  if (leaf >= 0) {
    args.flags = CLONE_INTO_CGROUP;
    args.cgroup = static_cast<uint64_t>(leaf);
  }
  return static_cast<pid_t>(syscall(SYS_clone3, &args, sizeof args));
}

// Of a member that has ended: one that was killed may have said nothing, while what it has attached keeps its end open.
pid_t Heard(int link) {
  pid_t pid = -1;
  return recv(link, &pid, sizeof pid, MSG_DONTWAIT) == sizeof pid ? pid : -1;
}

}  // namespace

bool Join(char **directories) {
  for (char **directory = directories; *directory != nullptr; directory++) {
    char path[PATH_MAX];
    const int length = snprintf(path, sizeof path, "%s/tasks", *directory);
    if (length < 0 || static_cast<size_t>(length) >= sizeof path) return false;
    const int tasks = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (tasks < 0) return false;
    const bool joined = write(tasks, "0", 1) == 1;
    close(tasks);
    if (!joined) return false;
  }
  return true;
}

pid_t ForkMember(const Groups &groups) {
  const int leaf = groups.unified == nullptr ? -1 : OpenLeaf(groups);
  if (groups.unified != nullptr && leaf < 0) return -1;
  const pid_t pid = Fork(leaf);
  if (leaf >= 0) close(leaf);
  return pid;
}

pid_t AttachFromWithin(const Groups &groups, pid_t (*attach)(void *argument, int link), void *argument) {
  int link[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, link) != 0) return -1;
  const pid_t us = getpid();
  // What the member leaves behind is ours, and not init's.
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  const pid_t member = ForkMember(groups);
  if (member == 0) {
    close(link[0]);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != us) _exit(1);
    pid_t pid = Join(groups.legacy) ? attach(argument, link[1]) : -1;
    send(link[1], &pid, sizeof pid, MSG_NOSIGNAL);
    _exit(0);
  }
  close(link[1]);
  while (member > 0 && waitpid(member, nullptr, 0) < 0 && errno == EINTR) {
  }
  const pid_t pid = member > 0 ? Heard(link[0]) : -1;
  // Orphans in the container are none of ours.
  prctl(PR_SET_CHILD_SUBREAPER, 0);
  // Left open for as long as we live, which is what the other end looks at.
  if (pid > 0 && send(link[0], &kAdopted, 1, MSG_NOSIGNAL) == 1) return pid;
  close(link[0]);
  return -1;
}

bool AwaitAdoption(int link) {
  char word = 0;
  ssize_t length;
  do {
    length = recv(link, &word, 1, 0);
  } while (length < 0 && errno == EINTR);
  if (length != 1 || word != kAdopted) return false;
  // The signal is for the end of the parent that it has now.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  struct pollfd over = {link, POLLIN, 0};
  return poll(&over, 1, 0) == 0;
}

}  // namespace covirt
