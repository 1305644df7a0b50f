#include "program/enter.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "program/id-map.h"

namespace covirt {

namespace {

constexpr int kPfExiting = 0x4;

struct Kind {
  const char *name;
  int flag;
};

constexpr Kind kKinds[] = {{"user", CLONE_NEWUSER}, {"mnt", CLONE_NEWNS},   {"pid", CLONE_NEWPID},       {"uts", CLONE_NEWUTS},
                           {"ipc", CLONE_NEWIPC},   {"net", CLONE_NEWNET}, {"cgroup", CLONE_NEWCGROUP}, {"time", 0x80}};

// The content of a file in /proc/PID; its length, or -1.
ssize_t ReadOf(pid_t pid, const char *name, char *buffer, size_t size) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", pid, name);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return -1;
  const ssize_t length = read(fd, buffer, size - 1);
  close(fd);
  buffer[length > 0 ? length : 0] = '\0';
  return length;
}

// Whether the process of this number lives and began so many clock ticks after boot: fields 9 and 22 of proc_pid_stat(5).
bool IsProcess(pid_t pid, unsigned long long start) {
  char text[1024];
  if (ReadOf(pid, "stat", text, sizeof text) <= 0) return false;
  const char *fields = strrchr(text, ')');
  unsigned flags;
  unsigned long long began;
  return fields != nullptr &&
         sscanf(fields + 1, " %*c %*d %*d %*d %*d %*d %u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &flags,
                &began) == 2 &&
         (flags & kPfExiting) == 0 && began == start;
}

// -1 where it cannot be told.
int ForeignNamespaces(pid_t pid) {
  int found = 0;
  for (const Kind &kind : kKinds) {
    char path[64];
    struct stat ours, theirs;
    snprintf(path, sizeof path, "/proc/self/ns/%s", kind.name);
    // This kernel has none of that kind.
    if (stat(path, &ours) != 0) continue;
    snprintf(path, sizeof path, "/proc/%d/ns/%s", pid, kind.name);
    if (stat(path, &theirs) != 0) return -1;
    if (ours.st_dev != theirs.st_dev || ours.st_ino != theirs.st_ino) found |= kind.flag;
  }
  return found;
}

int HexDigit(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

// The instructions of `hex`, two digits a byte as they lie in memory.
bool ReadFilter(const char *hex, struct sock_fprog *filter) {
  const size_t length = strlen(hex);
  const size_t count = length / 2 / sizeof(struct sock_filter);
  if (count == 0 || count > BPF_MAXINSNS || length != count * 2 * sizeof(struct sock_filter)) return false;
  unsigned char *bytes = static_cast<unsigned char *>(malloc(length / 2));
  if (bytes == nullptr) return false;
  for (size_t i = 0; i < length / 2; i++) {
    const int high = HexDigit(hex[2 * i]);
    const int low = HexDigit(hex[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    bytes[i] = static_cast<unsigned char>(high << 4 | low);
  }
  filter->len = static_cast<unsigned short>(count);
  filter->filter = reinterpret_cast<struct sock_filter *>(bytes);
  return true;
}

// In this order, as root inside: what holds a process may need a power that it takes away.
bool Confine(const Confinement &to) {
  personality(PER_LINUX);
  for (int capability = 0; capability < 64; capability++) {
    if ((to.capabilities >> capability & 1) != 0) continue;
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0) continue;
    // The kernel knows no more.
    if (errno == EINVAL) break;
    return false;
  }
  // A user namespace may forbid that.
  if (setgroups(0, nullptr) != 0 && errno != EPERM) return false;
  if (setresgid(0, 0, 0) != 0 || setresuid(0, 0, 0) != 0) return false;
  if (to.no_new_privileges && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return false;
  if (to.filter.len > 0 && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &to.filter) != 0) return false;
  const gid_t gid = static_cast<gid_t>(to.gid);
  const uid_t uid = static_cast<uid_t>(to.uid);
  return (to.gid <= 0 || setresgid(gid, gid, gid) == 0) && (to.uid <= 0 || setresuid(uid, uid, uid) == 0);
}

// After Confine: a change of ids takes the signal back.
bool DieWithParent(int link) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  struct pollfd over = {link, POLLIN, 0};
  return poll(&over, 1, 0) == 0;
}

struct Task {
  const Confinement &to;
  int link;
  int (*execute)(void *argument);
  void *argument;
};

int Run(void *argument) {
  const Task &task = *static_cast<Task *>(argument);
  if (!Confine(task.to) || !DieWithParent(task.link) || send(task.link, "r", 1, MSG_NOSIGNAL) != 1) return 1;
  return task.execute(task.argument);
}

// A child of our parent, which goes on in our memory when we end: a copy would take longer than all that it does.
bool Leave(Task *task) {
  static char stack[64 * 1024] __attribute__((aligned(16)));
  return clone(Run, stack + sizeof stack, CLONE_PARENT | CLONE_VM, task) > 0;
}

// The number, as we count, of who says on `link` that it is ready; -1 where nobody is left to.
pid_t AwaitReady(int link) {
  char word;
  struct iovec data = {&word, 1};
  alignas(struct cmsghdr) char space[CMSG_SPACE(sizeof(struct ucred))] = {};
  struct msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = space;
  message.msg_controllen = sizeof space;
  ssize_t length;
  do {
    length = recvmsg(link, &message, 0);
  } while (length < 0 && errno == EINTR);
  const struct cmsghdr *header = length == 1 ? CMSG_FIRSTHDR(&message) : nullptr;
  if (header == nullptr || header->cmsg_type != SCM_CREDENTIALS) return -1;
  struct ucred sender;
  memcpy(&sender, CMSG_DATA(header), sizeof sender);
  return sender.pid;
}

}  // namespace

bool ReadConfinement(const Options &options, Confinement *confinement) {
  int init;
  unsigned long long start;
  if (sscanf(options.init, "%d:%llu", &init, &start) != 2 || init <= 0) return false;
  *confinement = {};
  confinement->init = static_cast<int>(syscall(SYS_pidfd_open, init, 0));
  // From here on it is the same process for as long as that has not ended.
  if (confinement->init < 0 || !IsProcess(init, start)) return false;
  char text[8192];
  // A kernel without such a module has nothing to say here.
  if (ReadOf(init, "attr/current", text, sizeof text) > 0) return false;
  if (ReadOf(init, "status", text, sizeof text) <= 0) return false;
  const char *bounding = strstr(text, "\nCapBnd:");
  unsigned long long capabilities;
  if (bounding == nullptr || sscanf(bounding, "\nCapBnd: %llx", &capabilities) != 1) return false;
  // Init is held by more than we were told of.
  if (options.filter == nullptr && strstr(text, "\nSeccomp:\t0\n") == nullptr) return false;
  if (!options.no_new_privileges && strstr(text, "\nNoNewPrivs:\t0\n") == nullptr) return false;
  confinement->capabilities = capabilities;
  confinement->namespaces = ForeignNamespaces(init);
  confinement->owner = HostId(init, "uid_map", 0);
  confinement->owner_group = HostId(init, "gid_map", 0);
  confinement->user =
      options.uid <= 0 ? confinement->owner : HostId(init, "uid_map", static_cast<unsigned>(options.uid));
  confinement->group =
      options.gid <= 0 ? confinement->owner_group : HostId(init, "gid_map", static_cast<unsigned>(options.gid));
  confinement->no_new_privileges = options.no_new_privileges;
  confinement->uid = options.uid;
  confinement->gid = options.gid;
  const unsigned none = static_cast<unsigned>(-1);
  if (confinement->namespaces <= 0 || confinement->owner == none || confinement->owner_group == none) return false;
  return options.filter == nullptr || ReadFilter(options.filter, &confinement->filter);
}

pid_t Enter(const Confinement &to, const Groups &groups, int (*execute)(void *argument), void *argument) {
  int link[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, link) != 0) return -1;
  const int yes = 1;
  setsockopt(link[0], SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes);
  // Only who is born after all namespaces were entered is in that of processes: none of the container's ever sees one
  // that still has a foot outside.
  const pid_t member = ForkMember(groups);
  if (member == 0) {
    close(link[0]);
    // Until it is executed the program has all powers inside, and no filter: no process there takes hold of it meanwhile.
    if (prctl(PR_SET_DUMPABLE, 0) != 0) _exit(1);
    if (!Join(groups.legacy) || setns(to.init, to.namespaces) != 0 || chdir("/") != 0) _exit(1);
    close(to.init);
    Task task = {to, link[1], execute, argument};
    _exit(Leave(&task) ? 0 : 1);
  }
  close(link[1]);
  const pid_t pid = member > 0 ? AwaitReady(link[0]) : -1;
  while (member > 0 && waitpid(member, nullptr, 0) < 0 && errno == EINTR) {
  }
  // Left open for as long as we live, which is what the other end looks at.
  if (pid <= 0) close(link[0]);
  return pid;
}

}  // namespace covirt
