// liblxc's own log: where it goes, and the errors in it.
#pragma once

#include <stdio.h>

#include "liblxc.h"
#include "program/options.h"

namespace covirt {

class Log {
 public:
  // Sends the log to options.log_file, or, where none is given, to memory. The monitor that start leaves
  // behind keeps writing there. False if that file cannot be written; errno says why.
  bool Open(const LibLxc &lib, const Options &options);

  // The messages of level ERROR and above since Open, oldest first, as a JSON array.
  void WriteErrors(FILE *out) const;

 private:
  int fd_ = -1;
  long long start_ = 0;
};

}  // namespace covirt
