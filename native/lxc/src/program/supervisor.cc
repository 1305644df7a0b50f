#include "program/supervisor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace covirt {

namespace {

// ^D: the end of input for who reads a terminal.
constexpr char kEndOfInput = 4;

void SetNonBlocking(int fd) { fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK); }

}  // namespace

int Supervisor::Run(FILE *report) {
  const int pidfd = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  if (pidfd < 0) return -1;
  fcntl(control_, F_SETFL, fcntl(control_, F_GETFL) | O_NONBLOCK);
  if (master_ >= 0) {
    SetNonBlocking(master_);
    SetNonBlocking(STDIN_FILENO);
    SetNonBlocking(STDOUT_FILENO);
  } else {
    // The program's alone: who reads them sees their end when it ends.
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) dup2(null, fd);
  }
  while (Await(pidfd, report)) {
  }
  return cancelled_ || ended_ ? 0 : -1;
}

// False when all is done.
bool Supervisor::Await(int pidfd, FILE *report) {
  struct pollfd events[] = {
      {control_, POLLIN, 0},
      {ended_ ? -1 : pidfd, POLLIN, 0},
      {master_, static_cast<short>((output_.empty() ? POLLIN : 0) | (input_.empty() ? 0 : POLLOUT)), 0},
      {master_ >= 0 && input_.empty() && !input_over_ ? STDIN_FILENO : -1, POLLIN, 0},
      {output_.empty() ? -1 : STDOUT_FILENO, POLLOUT, 0},
  };
  if (ended_ && output_.empty()) {
    // What the terminal holds is there already.
    if (master_ < 0) return false;
    ReadTerminal();
    if (output_.empty()) return false;
    events[4].fd = STDOUT_FILENO;
    events[4].events = POLLOUT;
    events[2].fd = -1;
  }
  if (poll(events, 5, -1) < 0) return errno == EINTR;
  if (events[0].revents != 0) Obey(pidfd);
  if (cancelled_) {
    Reap(report);
    return false;
  }
  if (events[3].revents != 0) ReadInput();
  if (!input_.empty() && (events[2].revents & POLLOUT) != 0) Write(master_, &input_);
  if (output_.empty() && (events[2].revents & (POLLIN | POLLHUP | POLLERR)) != 0) ReadTerminal();
  // Nobody reads any more: the program is told as by a terminal that was closed.
  if (!output_.empty() && !Write(STDOUT_FILENO, &output_)) {
    close(master_);
    master_ = -1;
    output_.begin = output_.end = 0;
  }
  if (events[1].revents != 0 && !Reap(report)) return false;
  return true;
}

void Supervisor::Obey(int pidfd) {
  char bytes[256];
  const ssize_t length = read(control_, bytes, sizeof bytes);
  if (length < 0 && errno == EAGAIN) return;
  if (length <= 0) {
    cancelled_ = true;
    if (!ended_) Signal(SIGKILL);
    return;
  }
  for (ssize_t at = 0; at < length; at++) {
    if (bytes[at] != '\n') {
      if (line_length_ < sizeof line_ - 1) line_[line_length_++] = bytes[at];
      continue;
    }
    line_[line_length_] = '\0';
    line_length_ = 0;
    ObeyLine(line_);
  }
}

void Supervisor::ObeyLine(const char *line) {
  int number;
  struct winsize size = {};
  if (sscanf(line, "signal %d", &number) == 1) {
    if (!ended_) Signal(number);
  } else if (sscanf(line, "resize %hu %hu", &size.ws_col, &size.ws_row) == 2 && master_ >= 0) {
    ioctl(master_, TIOCSWINSZ, &size);
  }
}

void Supervisor::Signal(int number) {
  // It may not lead its group yet.
  if (kill(-pid_, number) != 0) kill(pid_, number);
}

bool Supervisor::Reap(FILE *report) {
  int status = 0;
  while (!ended_ && waitpid(pid_, &status, 0) < 0) {
    if (errno != EINTR) return false;
  }
  if (ended_) return true;
  ended_ = true;
  const bool killed = WIFSIGNALED(status);
  fprintf(report, "{\"exit\":{\"%s\":%d}}\n", killed ? "signal" : "code",
          killed ? WTERMSIG(status) : WEXITSTATUS(status));
  return true;
}

void Supervisor::ReadInput() {
  const ssize_t length = read(STDIN_FILENO, input_.bytes, sizeof input_.bytes);
  if (length < 0 && errno == EAGAIN) return;
  input_.begin = 0;
  input_.end = length > 0 ? static_cast<size_t>(length) : 1;
  if (length > 0) return;
  input_over_ = true;
  input_.bytes[0] = kEndOfInput;
}

void Supervisor::ReadTerminal() {
  const ssize_t length = read(master_, output_.bytes, sizeof output_.bytes);
  if (length > 0) {
    output_.begin = 0;
    output_.end = static_cast<size_t>(length);
  } else if (length == 0 || errno != EAGAIN) {
    // EIO: nobody holds its other end.
    close(master_);
    master_ = -1;
  }
}

bool Supervisor::Write(int fd, Buffer *buffer) {
  const ssize_t length = write(fd, buffer->bytes + buffer->begin, buffer->end - buffer->begin);
  if (length < 0) return errno == EAGAIN || errno == EINTR;
  buffer->begin += static_cast<size_t>(length);
  return true;
}

}  // namespace covirt
