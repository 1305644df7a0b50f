#include "program/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "program/loop-device.h"
#include "program/mapped-ids.h"
#include "program/mount-calls.h"

namespace covirt {

namespace {

constexpr int kMaxFields = 8;

// One value of --stage: fields, each on a line of its own.
struct Stage {
  char *target;  // below the container's root, escaped as in fstab(5); empty: the root itself
  char *flags;   // some of "ro", "idmap" and "idmap-if-possible", between commas
  char *kind;    // "tree", "image", "overlay", "device" or "memory"
  char *source;
  char *more[kMaxFields - 4];
};

bool Split(char *text, Stage *stage) {
  char *fields[kMaxFields] = {};
  int count = 0;
  for (char *rest = text; rest != nullptr && count < kMaxFields;) fields[count++] = strsep(&rest, "\n");
  if (count < 4) return false;
  *stage = Stage{fields[0], fields[1], fields[2], fields[3], {fields[4], fields[5], fields[6], fields[7]}};
  return true;
}

bool HasFlag(const Stage &stage, const char *flag) {
  const size_t length = strlen(flag);
  for (const char *at = stage.flags; (at = strstr(at, flag)) != nullptr; at += length) {
    const bool begins = at == stage.flags || at[-1] == ',';
    if (begins && (at[length] == '\0' || at[length] == ',')) return true;
  }
  return false;
}

class Stager {
 public:
  Stager(lxc_container *container, const Options &options, char *reason, size_t reason_size)
      : container_(container), options_(options), reason_(reason), reason_size_(reason_size) {}
  Stager(const Stager &) = delete;
  Stager &operator=(const Stager &) = delete;
  ~Stager() {
    if (ids_ >= 0) close(ids_);
  }

  bool Run() {
    if (!Begin()) return false;
    for (char **text = options_.stages; *text != nullptr; text++) {
      Stage stage;
      if (!Split(*text, &stage)) return (errno = EINVAL, Refuse("--stage lacks a field"));
      if (!Prepare(stage, static_cast<int>(text - options_.stages))) return false;
    }
    return true;
  }

  // The first, attached nowhere.
  int OpenFirst() {
    Stage stage;
    if (!Begin()) return -1;
    if (!Split(options_.stages[0], &stage)) return (errno = EINVAL, Refuse("--stage lacks a field"), -1);
    const int tree = Open(stage, 0);
    if (tree >= 0 && HasFlag(stage, "ro") && !FreezeTree(tree)) {
      Refuse("%s cannot be made read-only", stage.source);
      return -1;
    }
    return tree;
  }

 private:
  bool Begin() {
    if (unshare(CLONE_NEWNS) != 0 || !StopPropagation()) return Refuse("a mount namespace of its own cannot be had");
    if (!OpenDirectory()) return false;
    if (options_.idmaps[0] != nullptr && (ids_ = OpenMappedIds(options_.idmaps)) < 0) {
      return Refuse("the ids of the container cannot be mapped");
    }
    return true;
  }

  __attribute__((format(printf, 2, 3))) bool Refuse(const char *format, ...) {
    const int error = errno;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason_, reason_size_, format, arguments);
    va_end(arguments);
    errno = error;
    return false;
  }

  // Where liblxc itself mounts root file systems: everybody may enter it, which the containers' users have to.
  bool OpenDirectory() {
    const int length = container_->get_config_item(container_, "lxc.rootfs.mount", directory_, sizeof directory_);
    if (length <= 0 || length >= static_cast<int>(sizeof directory_)) {
      errno = ENOENT;
      return Refuse("liblxc does not say where root file systems are mounted");
    }
    const char *const options[] = {"mode", "0755", "size", "64k", nullptr};
    const int tree = NewMount("tmpfs", options, false);
    const bool attached = tree >= 0 && AttachTree(tree, directory_);
    if (tree >= 0) close(tree);
    if (!attached) return Refuse("nothing can be mounted on liblxc's %s", directory_);
    char mount[PATH_MAX];
    return MakePoint("root", true, mount) && Set("lxc.rootfs.mount", mount);
  }

  bool MakePoint(const char *name, bool is_directory, char *path) {
    if (snprintf(path, PATH_MAX, "%s/%s", directory_, name) >= PATH_MAX) {
      errno = ENAMETOOLONG;
      return Refuse("%s is too long", directory_);
    }
    if (is_directory) return mkdir(path, 0755) == 0 || Refuse("%s cannot be made", path);
    const int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0644);
    if (fd < 0) return Refuse("%s cannot be made", path);
    close(fd);
    return true;
  }

  bool Set(const char *key, const char *value) {
    if (container_->set_config_item(container_, key, value)) return true;
    errno = EINVAL;
    return Refuse("liblxc does not take %s = %s", key, value);
  }

  bool Prepare(const Stage &stage, int index) {
    const int tree = Open(stage, index);
    if (tree < 0) return false;
    const bool ready = Attach(stage, index, tree);
    const int error = errno;
    close(tree);
    errno = error;
    return ready;
  }

  int Open(const Stage &stage, int index) {
    int tree = -1;
    if (strcmp(stage.kind, "tree") == 0) {
      if ((tree = CloneTree(stage.source)) < 0) Refuse("%s cannot be mounted", stage.source);
      return MapOwners(stage, tree);
    }
    if (strcmp(stage.kind, "image") == 0) return MapOwners(stage, OpenImage(stage));
    if (strcmp(stage.kind, "overlay") == 0) return OpenOverlay(stage, index);
    if (strcmp(stage.kind, "device") == 0) return OpenDevice(stage, index);
    if (strcmp(stage.kind, "memory") == 0) return OpenMemory(stage);
    errno = EINVAL;
    Refuse("--stage has an unknown kind");
    return -1;
  }

  // Takes the tree, and returns it or -1.
  int MapOwners(const Stage &stage, int tree) {
    if (tree < 0 || ids_ < 0) return tree;
    const bool may = HasFlag(stage, "idmap-if-possible");
    if (!may && !HasFlag(stage, "idmap")) return tree;
    if (MapTree(tree, ids_) || (may && errno == EINVAL)) return tree;
    Refuse("the file system of %s, or one mounted below it, does not let its owners be mapped", stage.source);
    const int error = errno;
    close(tree);
    errno = error;
    return -1;
  }

  int OpenImage(const Stage &stage) {
    const bool read_only = HasFlag(stage, "ro");
    const char *type = stage.more[0];
    struct stat source;
    if (type == nullptr || stat(stage.source, &source) != 0) {
      Refuse("%s cannot be mounted", stage.source);
      return -1;
    }
    char device[PATH_MAX];
    snprintf(device, sizeof device, "%s", stage.source);
    int loop = -1;
    if (!S_ISBLK(source.st_mode) && (loop = OpenLoopDevice(stage.source, read_only, device, sizeof device)) < 0) {
      Refuse("no loop device can be had for %s", stage.source);
      return -1;
    }
    const char *const options[] = {"source", device, nullptr};
    const int tree = NewMount(type, options, read_only);
    if (tree < 0) Refuse("%s cannot be mounted as %s", stage.source, type);
    const int error = errno;
    if (loop >= 0) close(loop);
    errno = error;
    return tree;
  }

  // A layer of an overlay is named by its path, which therefore has to be short and free of colons.
  bool OpenLayer(const Stage &stage, int index, const char *kind, const char *source, char *path) {
    char name[64];
    snprintf(name, sizeof name, "%s%d", kind, index);
    if (!MakePoint(name, true, path)) return false;
    int tree = CloneTree(source);
    if (tree < 0) return Refuse("%s cannot be mounted", source);
    Stage layer = stage;
    layer.source = const_cast<char *>(source);
    if ((tree = MapOwners(layer, tree)) < 0) return false;
    const bool attached = AttachTree(tree, path);
    close(tree);
    return attached || Refuse("%s cannot be mounted", source);
  }

  int OpenOverlay(const Stage &stage, int index) {
    const char *writable = stage.more[0];
    if (writable == nullptr) return (errno = EINVAL, Refuse("--stage lacks a field"), -1);
    char lower[PATH_MAX];
    char upper[PATH_MAX];
    if (!OpenLayer(stage, index, "lower", stage.source, lower)) return -1;
    if (!OpenLayer(stage, index, "upper", writable, upper)) return -1;
    char data[PATH_MAX + 8];
    char work[PATH_MAX + 8];
    snprintf(data, sizeof data, "%s/data", upper);
    snprintf(work, sizeof work, "%s/work", upper);
    const char *const options[] = {"lowerdir", lower, "upperdir", data, "workdir", work, nullptr};
    const int tree = NewOverlay(options);
    if (tree < 0) Refuse("%s cannot be overlaid with %s", stage.source, writable);
    return tree;
  }

  // Of the size that the source says; it belongs to the container's root.
  int OpenMemory(const Stage &stage) {
    char user[16];
    char group[16];
    snprintf(user, sizeof user, "%u", HostRoot('u'));
    snprintf(group, sizeof group, "%u", HostRoot('g'));
    const char *const options[] = {"source", "tmpfs", "size", stage.source, "uid", user, "gid", group, nullptr};
    const int tree = NewMount("tmpfs", options, HasFlag(stage, "ro"));
    if (tree >= 0 && ConfineTree(tree)) return tree;
    Refuse("a file system in memory cannot be had");
    const int error = errno;
    if (tree >= 0) close(tree);
    errno = error;
    return -1;
  }

  // A node of its own, which belongs to the container's root: that of the host does not, and is to stay as it is.
  int OpenDevice(const Stage &stage, int index) {
    struct stat source;
    if (stat(stage.source, &source) != 0 || (!S_ISBLK(source.st_mode) && !S_ISCHR(source.st_mode))) {
      Refuse("%s is not a device", stage.source);
      return -1;
    }
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/device%d", directory_, index);
    const unsigned user = HostRoot('u');
    const unsigned group = HostRoot('g');
    if (mknod(path, (source.st_mode & S_IFMT) | 0660, source.st_rdev) != 0 || lchown(path, user, group) != 0) {
      Refuse("%s cannot be made for the container", stage.source);
      return -1;
    }
    const int tree = CloneTree(path);
    if (tree < 0) Refuse("%s cannot be mounted", stage.source);
    return tree;
  }

  // What overlayfs makes for its own use has the owner that we have here, which has to be one that the layers know; else
  // it mounts read-only.
  int NewOverlay(const char *const *options) {
    if (ids_ < 0) return NewMount("overlay", options, false);
    setfsgid(HostRoot('g'));
    setfsuid(HostRoot('u'));
    const int tree = RaiseCapabilities() ? NewMount("overlay", options, false) : -1;
    const int error = errno;
    setfsuid(0);
    setfsgid(0);
    errno = error;
    return tree;
  }

  // The id on the host of the container's root; `kind` is 'u' or 'g'.
  unsigned HostRoot(char kind) {
    for (char **line = options_.idmaps; *line != nullptr; line++) {
      unsigned inside = 0;
      unsigned outside = 0;
      if ((*line)[0] == kind && sscanf(*line + 1, "%u %u", &inside, &outside) == 2 && inside == 0) return outside;
    }
    return 0;
  }

  // Another fsuid than root's takes the capabilities over files away (capabilities(7)), which overlayfs keeps for later.
  bool RaiseCapabilities() {
    __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};
    if (syscall(SYS_capget, &header, data) != 0) return false;
    for (__user_cap_data_struct &each : data) each.effective = each.permitted;
    return syscall(SYS_capset, &header, data) == 0;
  }

  bool Attach(const Stage &stage, int index, int tree) {
    struct stat top;
    if (fstat(tree, &top) != 0) return Refuse("%s cannot be looked at", stage.source);
    if (HasFlag(stage, "ro") && !FreezeTree(tree)) return Refuse("%s cannot be made read-only", stage.source);
    char name[32];
    char path[PATH_MAX];
    snprintf(name, sizeof name, "%d", index);
    const bool is_directory = S_ISDIR(top.st_mode);
    if (!MakePoint(name, is_directory, path)) return false;
    if (!AttachTree(tree, path)) return Refuse("%s cannot be mounted", stage.source);
    char value[2 * PATH_MAX];
    if (*stage.target == '\0') {
      snprintf(value, sizeof value, "dir:%s", path);
      return Set("lxc.rootfs.path", value);
    }
    const int length = snprintf(value, sizeof value, "%s %s none rbind,create=%s 0 0", path, stage.target,
                                is_directory ? "dir" : "file");
    if (length >= static_cast<int>(sizeof value)) return (errno = ENAMETOOLONG, Refuse("%s is too long", stage.target));
    return Set("lxc.mount.entry", value);
  }

  lxc_container *container_;
  const Options &options_;
  char *reason_;
  size_t reason_size_;
  int ids_ = -1;
  char directory_[PATH_MAX] = "";
};

}  // namespace

bool PrepareStages(lxc_container *container, const Options &options, char *reason, size_t reason_size) {
  if (options.stages[0] == nullptr) return true;
  return Stager(container, options, reason, reason_size).Run();
}

int OpenStage(lxc_container *container, const Options &options, char *reason, size_t reason_size) {
  if (options.stages[0] != nullptr) return Stager(container, options, reason, reason_size).OpenFirst();
  snprintf(reason, reason_size, "--stage is needed");
  errno = EINVAL;
  return -1;
}

}  // namespace covirt
