#include "program/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "send-fd.h"

namespace covirt {

namespace {

// The container decides what lies there, and opening some things does something: this is how a device is known
// (devices.txt).
bool IsMultiplexer(int fd) {
  struct stat stat;
  return fstat(fd, &stat) == 0 && S_ISCHR(stat.st_mode) && stat.st_rdev == makedev(5, 2);
}

int OpenMultiplexer() {
  static const char *const paths[] = {"/dev/pts/ptmx", "/dev/ptmx"};
  for (const char *path : paths) {
    const int place = open(path, O_PATH | O_CLOEXEC);
    const bool known = place >= 0 && IsMultiplexer(place);
    const int fd = known ? open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC) : -1;
    if (place >= 0) close(place);
    if (fd >= 0 && IsMultiplexer(fd)) return fd;
    if (fd >= 0) close(fd);
  }
  errno = ENODEV;
  return -1;
}

}  // namespace

bool TakeTerminal(int socket, unsigned short columns, unsigned short rows) {
  const int master = OpenMultiplexer();
  if (master < 0) return false;
  int unlocked = 0;
  if (ioctl(master, TIOCSPTLCK, &unlocked) != 0) return false;
  const int terminal = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (terminal < 0) return false;
  struct winsize size = {};
  size.ws_col = columns;
  size.ws_row = rows;
  if (ioctl(terminal, TIOCSWINSZ, &size) != 0 || ioctl(terminal, TIOCSCTTY, 0) != 0) return false;
  if (!SendFd(socket, master, 0)) return false;
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) dup2(terminal, fd);
  return true;
}

int ReceiveTerminal(int socket) {
  char byte;
  struct iovec data = {&byte, 1};
  alignas(struct cmsghdr) char space[CMSG_SPACE(sizeof(int))] = {};
  struct msghdr message = {};
  message.msg_iov = &data;
  message.msg_iovlen = 1;
  message.msg_control = space;
  message.msg_controllen = sizeof space;
  if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) != 1) return -1;
  const struct cmsghdr *header = CMSG_FIRSTHDR(&message);
  if (header == nullptr || header->cmsg_type != SCM_RIGHTS || header->cmsg_len != CMSG_LEN(sizeof(int))) return -1;
  int master;
  memcpy(&master, CMSG_DATA(header), sizeof master);
  return master;
}

}  // namespace covirt
