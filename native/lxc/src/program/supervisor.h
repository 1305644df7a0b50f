// Stays with a program in a container: hears its end and what is to be done with it, and carries its terminal's
// bytes.
#pragma once

#include <stdio.h>
#include <sys/types.h>

namespace covirt {

class Supervisor {
 public:
  // `master` is that of the program's terminal, or -1; it does not block. `control` says, in lines, `signal N` and
  // `resize COLUMNS ROWS`; its end is the program's.
  Supervisor(pid_t pid, int control, int master) : pid_(pid), control_(control), master_(master) {}

  // Until the program has ended and what its terminal still held has been read. Writes {"exit":{"code":N}} or
  // {"exit":{"signal":N}} as soon as that is known. Negative, with errno, where the program was lost.
  int Run(FILE *report);

 private:
  // What was read and not written yet.
  struct Buffer {
    char bytes[16 * 1024];
    size_t begin = 0;
    size_t end = 0;
    bool empty() const { return begin == end; }
  };

  bool Await(int pidfd, FILE *report);
  void Obey(int pidfd);
  void ObeyLine(const char *line);
  void Signal(int number);
  bool Reap(FILE *report);
  void ReadInput();
  void ReadTerminal();
  bool Write(int fd, Buffer *buffer);

  const pid_t pid_;
  const int control_;
  int master_;
  bool cancelled_ = false;
  bool ended_ = false;
  bool input_over_ = false;
  Buffer input_;
  Buffer output_;
  char line_[64];
  size_t line_length_ = 0;
};

}  // namespace covirt
