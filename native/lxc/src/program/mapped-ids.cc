#include "program/mapped-ids.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace covirt {

namespace {

// The kernel takes a page at the most, in one write (user_namespaces(7)).
constexpr size_t kMapSize = 4096;

bool WriteMap(pid_t pid, char kind, char **idmaps) {
  char text[kMapSize];
  size_t length = 0;
  for (char **line = idmaps; *line != nullptr; line++) {
    if ((*line)[0] != kind) continue;
    const int added = snprintf(text + length, sizeof text - length, "%s\n", *line + 2);
    if (added < 0 || length + static_cast<size_t>(added) >= sizeof text) {
      errno = E2BIG;
      return false;
    }
    length += static_cast<size_t>(added);
  }
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%cid_map", pid, kind);
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool written = write(fd, text, length) == static_cast<ssize_t>(length);
  const int error = errno;
  close(fd);
  errno = error;
  return written;
}

}  // namespace

int OpenMappedIds(char **idmaps) {
  int ready[2];
  if (pipe2(ready, O_CLOEXEC) != 0) return -1;
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const char word = unshare(CLONE_NEWUSER) == 0 ? '+' : '-';
    if (write(ready[1], &word, 1) == 1) pause();
    _exit(0);
  }
  close(ready[1]);
  char word = '-';
  int fd = -1;
  int error = errno;
  if (child > 0) {
    if (read(ready[0], &word, 1) == 1 && word == '+' && WriteMap(child, 'u', idmaps) && WriteMap(child, 'g', idmaps)) {
      char path[64];
      snprintf(path, sizeof path, "/proc/%d/ns/user", child);
      fd = open(path, O_RDONLY | O_CLOEXEC);
    }
    error = word == '+' ? errno : EPERM;
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
  }
  close(ready[0]);
  errno = error;
  return fd;
}

}  // namespace covirt
