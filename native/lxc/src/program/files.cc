#include "program/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "program/json.h"
#include "program/remove-tree.h"
#include "program/verbs.h"

namespace covirt {

namespace {

constexpr int kMaxEntries = 65536;

// One operation: what is to be done, and who is told.
struct Request {
  const Root &root;
  char **words;
  int count;
  FILE *control;
  int control_fd;

  char *Path() const { return words[1]; }
  long long Number(int index) const { return index < count ? strtoll(words[index], nullptr, 10) : -1; }
};

const char *TypeOf(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG: return "file";
    case S_IFDIR: return "directory";
    case S_IFLNK: return "link";
    case S_IFIFO: return "fifo";
    case S_IFSOCK: return "socket";
    case S_IFCHR: return "char";
    default: return "block";
  }
}

void WriteInfo(const Request &request, FILE *out, const char *name, const struct stat &stat, const char *target) {
  fprintf(out, "{");
  if (name != nullptr) {
    fprintf(out, "\"name\":");
    WriteJsonString(out, name);
    fprintf(out, ",");
  }
  fprintf(out, "\"type\":\"%s\",\"mode\":%u,\"uid\":%u,\"gid\":%u,\"sizeBytes\":%lld,\"modifiedMs\":%lld",
          TypeOf(stat.st_mode), stat.st_mode & 07777, request.root.Inside(stat.st_uid, false),
          request.root.Inside(stat.st_gid, true), static_cast<long long>(stat.st_size),
          static_cast<long long>(stat.st_mtim.tv_sec) * 1000 + stat.st_mtim.tv_nsec / 1000000);
  if (target != nullptr) {
    fprintf(out, ",\"target\":");
    WriteJsonString(out, target);
  }
  fprintf(out, "}\n");
}

// In `directory`; false with errno.
bool Describe(const Request &request, FILE *out, int directory, const char *name, bool named) {
  struct stat stat;
  if (fstatat(directory, name, &stat, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) != 0) return false;
  char target[PATH_MAX];
  ssize_t length = -1;
  if (S_ISLNK(stat.st_mode)) length = readlinkat(directory, name, target, sizeof target - 1);
  if (length >= 0) target[length] = '\0';
  WriteInfo(request, out, named ? name : nullptr, stat, length >= 0 ? target : nullptr);
  return true;
}

bool Stat(const Request &request) {
  const int fd = request.root.Open(request.Path(), O_PATH | (request.Number(2) > 0 ? 0 : O_NOFOLLOW));
  return fd >= 0 && Describe(request, request.control, fd, "", false);
}

bool List(const Request &request) {
  const int fd = request.root.Open(request.Path(), O_RDONLY | O_DIRECTORY | O_NONBLOCK);
  DIR *directory = fd < 0 ? nullptr : fdopendir(fd);
  if (directory == nullptr) return false;
  int entries = 0;
  errno = 0;
  while (const struct dirent *entry = readdir(directory)) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    if (++entries > kMaxEntries) {
      errno = EOVERFLOW;
      return false;
    }
    // One that has gone meanwhile is left out.
    Describe(request, stdout, fd, entry->d_name, true);
    errno = 0;
  }
  return errno == 0 && fflush(stdout) == 0;
}

bool WriteAll(int fd, const char *bytes, size_t length) {
  while (length > 0) {
    const ssize_t written = write(fd, bytes, length);
    if (written < 0) return false;
    bytes += written;
    length -= static_cast<size_t>(written);
  }
  return true;
}

// PATH OFFSET LENGTH; a length below 0 is all.
bool Read(const Request &request) {
  const int place = request.root.Open(request.Path(), O_PATH);
  struct stat stat;
  if (place < 0 || fstat(place, &stat) != 0) return false;
  if (!S_ISREG(stat.st_mode)) {
    errno = S_ISDIR(stat.st_mode) ? EISDIR : ENOTSUP;
    return false;
  }
  const int fd = request.root.Reopen(place, O_RDONLY);
  if (fd < 0) return false;
  fprintf(request.control, "{\"open\":true}\n");
  long long at = request.Number(2);
  long long left = request.Number(3);
  char bytes[64 * 1024];
  while (left != 0) {
    const size_t wanted = left > 0 && left < static_cast<long long>(sizeof bytes) ? static_cast<size_t>(left) : sizeof bytes;
    const ssize_t length = pread(fd, bytes, wanted, at);
    if (length < 0) return false;
    if (length == 0) break;
    if (!WriteAll(STDOUT_FILENO, bytes, static_cast<size_t>(length))) return false;
    at += length;
    if (left > 0) left -= length;
  }
  return true;
}

// MODE UID GID from this word on; -1 for none. `before` is what is replaced, or null.
bool SetOwnership(const Request &request, int fd, int word, const struct stat *before, mode_t mode) {
  const long long wanted[] = {request.Number(word), request.Number(word + 1), request.Number(word + 2)};
  unsigned uid = before != nullptr ? before->st_uid : request.root.OnDisk(0, false);
  unsigned gid = before != nullptr ? before->st_gid : request.root.OnDisk(0, true);
  if (wanted[1] >= 0) uid = request.root.OnDisk(static_cast<unsigned>(wanted[1]), false);
  if (wanted[2] >= 0) gid = request.root.OnDisk(static_cast<unsigned>(wanted[2]), true);
  if (uid == static_cast<unsigned>(-1) || gid == static_cast<unsigned>(-1)) {
    errno = EINVAL;
    return false;
  }
  if (before != nullptr) mode = before->st_mode & 07777;
  if (wanted[0] >= 0) mode = static_cast<mode_t>(wanted[0]);
  // In this order: a change of owner takes the setuid bits away.
  return fchown(fd, uid, gid) == 0 && fchmod(fd, mode) == 0;
}

// True once we are told that the input has come to its end, and has not just ended.
bool Committed(const Request &request) {
  char word[16] = {};
  return read(request.control_fd, word, sizeof word - 1) > 0 && strncmp(word, "commit", 6) == 0;
}

bool Fill(const Request &request, int fd, const struct stat *before) {
  char bytes[64 * 1024];
  for (;;) {
    const ssize_t length = read(STDIN_FILENO, bytes, sizeof bytes);
    if (length < 0) return false;
    if (length == 0) break;
    if (!WriteAll(fd, bytes, static_cast<size_t>(length))) return false;
  }
  if (!Committed(request)) {
    errno = ECANCELED;
    return false;
  }
  return SetOwnership(request, fd, 2, before, 0644) && fsync(fd) == 0;
}

// PATH MODE UID GID
bool Write(const Request &request) {
  char path[PATH_MAX];
  char name[NAME_MAX + 1];
  strcpy(path, request.Path());
  const int parent = request.root.OpenParent(path, name, true);
  if (parent < 0) return false;
  struct stat stat;
  const bool exists = fstatat(parent, name, &stat, AT_SYMLINK_NOFOLLOW) == 0;
  if (exists && !S_ISREG(stat.st_mode)) {
    errno = S_ISDIR(stat.st_mode) ? EISDIR : ENOTSUP;
    return false;
  }
  unsigned long long number = 0;
  if (getrandom(&number, sizeof number, 0) != sizeof number) return false;
  char unfinished[64];
  snprintf(unfinished, sizeof unfinished, ".covirt-%llx", number);
  const int fd = openat(parent, unfinished, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  fprintf(request.control, "{\"open\":true}\n");
  if (Fill(request, fd, exists ? &stat : nullptr) && renameat(parent, unfinished, parent, name) == 0) return true;
  const int error = errno;
  unlinkat(parent, unfinished, 0);
  errno = error;
  return false;
}

bool MakeOne(const Request &request, const char *path, int word) {
  char copy[PATH_MAX];
  char name[NAME_MAX + 1];
  strcpy(copy, path);
  const int parent = request.root.OpenParent(copy, name, false);
  if (parent < 0) {
    if (errno == EISDIR) errno = EEXIST;
    return false;
  }
  bool made = mkdirat(parent, name, 0700) == 0;
  const int fd = made ? openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
  made = fd >= 0 && SetOwnership(request, fd, word, nullptr, 0755);
  const int error = errno;
  if (fd >= 0) close(fd);
  close(parent);
  errno = error;
  return made;
}

bool IsDirectory(const Root &root, const char *path) {
  const int fd = root.Open(path, O_PATH | O_DIRECTORY);
  if (fd >= 0) close(fd);
  return fd >= 0;
}

// PATH PARENTS MODE UID GID
bool MakeDirectory(const Request &request) {
  const char *path = request.Path();
  if (request.Number(2) <= 0) return MakeOne(request, path, 3);
  char part[PATH_MAX];
  for (const char *end = path; *end != '\0';) {
    end = strchrnul(end + 1, '/');
    memcpy(part, path, static_cast<size_t>(end - path));
    part[end - path] = '\0';
    // Those above are nobody's in particular.
    const int word = *end == '\0' ? 3 : request.count;
    if (!IsDirectory(request.root, part) && !MakeOne(request, part, word)) return false;
  }
  return true;
}

// PATH RECURSIVE
bool Remove(const Request &request) {
  char path[PATH_MAX];
  char name[NAME_MAX + 1];
  strcpy(path, request.Path());
  const int parent = request.root.OpenParent(path, name, false);
  struct stat stat;
  if (parent < 0 || fstatat(parent, name, &stat, AT_SYMLINK_NOFOLLOW) != 0) return false;
  if (!S_ISDIR(stat.st_mode)) return unlinkat(parent, name, 0) == 0;
  if (request.Number(2) > 0) return RemoveTree(parent, name, stat.st_dev);
  return unlinkat(parent, name, AT_REMOVEDIR) == 0;
}

struct Operation {
  const char *name;
  bool (*run)(const Request &request);
};

constexpr Operation kOperations[] = {{"stat", Stat},   {"list", List},           {"read", Read},
                                     {"write", Write}, {"mkdir", MakeDirectory}, {"remove", Remove}};

}  // namespace

int Files(const Job &job) {
  const Options &options = job.options;
  FILE *control = options.control_fd < 0 ? nullptr : fdopen(options.control_fd, "w");
  if (control == nullptr) return Fail(options, job.log, stderr, EINVAL, "--control-fd is needed");
  setlinebuf(control);
  const auto fail = [&](int error, const char *what) {
    char message[PATH_MAX + 128];
    snprintf(message, sizeof message, "%s: %s", what, strerror(error));
    return Fail(options, job.log, control, error, message);
  };
  int count = 0;
  while (options.argv != nullptr && options.argv[count] != nullptr) count++;
  if (count < 2 || strlen(options.argv[1]) >= PATH_MAX || *options.argv[1] != '/') return fail(EINVAL, "no path");
  for (size_t end = strlen(options.argv[1]); end > 1 && options.argv[1][end - 1] == '/'; end--) {
    options.argv[1][end - 1] = '\0';
  }
  Root root;
  if (options.root != nullptr) {
    if (!root.OpenDirectory(options.root, options)) return fail(errno, options.root);
  } else {
    lxc_container *c = job.container;
    const int init = c->is_running(c) ? c->init_pidfd(c) : -1;
    if (init < 0) return fail(ESRCH, "the container is not running");
    if (!root.Enter(init)) return fail(errno, "the container cannot be entered");
  }
  const Request request = {root, options.argv, count, control, options.control_fd};
  // Ignored, so that a write that nobody reads ends as a failure, and undoes what there is.
  signal(SIGPIPE, SIG_IGN);
  for (const Operation &operation : kOperations) {
    if (strcmp(operation.name, options.argv[0]) != 0) continue;
    // Its path may be changed while it is worked on.
    char *path = strdup(options.argv[1]);
    if (path == nullptr) return fail(ENOMEM, options.argv[1]);
    if (!operation.run(request)) return fail(errno, path);
    fprintf(control, "{\"done\":true}\n");
    return 0;
  }
  return fail(EINVAL, options.argv[0]);
}

}  // namespace covirt
