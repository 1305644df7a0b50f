#include "program/log.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "program/json.h"

namespace covirt {

namespace {

constexpr int kMaxLines = 50;

// "lxc NAME 20240131120000.123 ERROR    start - ../src/lxc/start.c:__lxc_start:2107 - Failed to ..."
const char *ErrorMessage(const char *line) {
  static const char *const levels[] = {" ERROR ", " CRIT ", " ALERT ", " FATAL "};
  for (const char *level : levels) {
    const char *found = strstr(line, level);
    if (found == nullptr) continue;
    // That the monitor does not answer (any more) is what came of the reason, never the reason.
    if (strstr(found, " commands - ") != nullptr || strstr(found, " af_unix - ") != nullptr) return nullptr;
    const char *category = strstr(found, " - ");
    const char *message = category ? strstr(category + 3, " - ") : nullptr;
    return message ? message + 3 : found + 1;
  }
  return nullptr;
}

}  // namespace

bool Log::Open(const LibLxc &lib, const Options &options) {
  char memory[64];
  const char *file = options.log_file;
  if (file != nullptr) {
    fd_ = open(file, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (fd_ >= 0) start_ = lseek(fd_, 0, SEEK_END);
  } else {
    fd_ = memfd_create("covirt-lxc-log", MFD_CLOEXEC);
    snprintf(memory, sizeof memory, "/proc/self/fd/%d", fd_);
    file = memory;
  }
  if (fd_ < 0) return false;
  lxc_log log = {};
  log.name = options.name;
  log.lxcpath = options.path;
  log.file = file;
  log.level = options.log_level;
  log.prefix = "lxc";
  log.quiet = true;
  return lib.log_init(&log) == 0;
}

void Log::WriteErrors(FILE *out) const {
  fputc('[', out);
  const int copy = fd_ < 0 ? -1 : dup(fd_);
  FILE *in = copy < 0 ? nullptr : fdopen(copy, "r");
  if (in != nullptr && fseeko(in, start_, SEEK_SET) == 0) {
    char *line = nullptr;
    size_t size = 0;
    int written = 0;
    while (written < kMaxLines && getline(&line, &size, in) > 0) {
      line[strcspn(line, "\n")] = '\0';
      const char *message = ErrorMessage(line);
      if (message == nullptr) continue;
      if (written++ > 0) fputc(',', out);
      WriteJsonString(out, message);
    }
  }
  fputc(']', out);
}

}  // namespace covirt
