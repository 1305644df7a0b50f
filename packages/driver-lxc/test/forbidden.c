// Tries, as the init of a container, what no container may do, says of each whether it was refused, and stays.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/io.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/quota.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/wait.h>
#include <unistd.h>

static int writes(const char *path, const char *text) {
  const int fd = open(path, O_WRONLY);
  return fd < 0 ? -1 : (int)write(fd, text, strlen(text));
}

static int reads(const char *path) {
  char some[8];
  const int fd = open(path, O_RDONLY);
  if (fd < 0) return -1;
  const ssize_t length = read(fd, some, sizeof some);
  return length > 0 ? 0 : (errno = ENODATA, -1);
}

static int disk(void) { return mknod("/tmp/disk", S_IFBLK | 0600, makedev(8, 0)) == 0 ? reads("/tmp/disk") : -1; }
static int memory(void) { return mknod("/tmp/mem", S_IFCHR | 0600, makedev(1, 1)) == 0 ? reads("/tmp/mem") : -1; }
static int kernel_log(void) { return mknod("/tmp/kmsg", S_IFCHR | 0600, makedev(1, 11)) == 0 ? reads("/tmp/kmsg") : -1; }
static int module(void) { return syscall(SYS_init_module, "", 0, ""); }
static int module_file(void) { return syscall(SYS_finit_module, 0, "", 0); }
static int module_removal(void) { return syscall(SYS_delete_module, "loop", O_NONBLOCK); }
static int kernel(void) { return syscall(SYS_kexec_load, 0, 0, NULL, 0); }
static int kernel_file(void) { return syscall(SYS_kexec_file_load, -1, -1, 0, "", 0); }
static int bpf_map(void) {
  union bpf_attr map = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
  return syscall(SYS_bpf, BPF_MAP_CREATE, &map, sizeof map);
}
static int perf(void) {
  struct perf_event_attr event = {.type = PERF_TYPE_SOFTWARE, .size = sizeof event, .config = PERF_COUNT_SW_CPU_CLOCK};
  return syscall(SYS_perf_event_open, &event, -1, 0, -1, 0);
}
static int handle(void) {
  struct { struct file_handle head; char data[128]; } h = {.head = {.handle_bytes = 8, .handle_type = 1}};
  return open_by_handle_at(AT_FDCWD, &h.head, O_RDONLY);
}
static int clock_of_host(void) {
  struct timeval now;
  gettimeofday(&now, NULL);
  return settimeofday(&now, NULL);
}
static int clock_rate(void) {
  struct timex change = {.modes = ADJ_TICK, .tick = 10000};
  return adjtimex(&change);
}
static int log_of_host(void) {
  char text[64];
  return klogctl(3, text, sizeof text);
}
static int sysrq(void) { return writes("/proc/sysrq-trigger", "h"); }
static int core_pattern(void) { return writes("/proc/sys/kernel/core_pattern", "core"); }
static int caches(void) { return writes("/proc/sys/vm/drop_caches", "1"); }
static int uevent(void) { return writes("/sys/kernel/uevent_helper", ""); }
static int kcore(void) { return reads("/proc/kcore"); }
static int ports(void) { return iopl(3); }
static int swap(void) { return swapon("/bin/busybox", 0); }
static int accounting(void) { return acct("/tmp/acct"); }
static int debugfs(void) { return mount("debugfs", "/mnt", "debugfs", 0, NULL); }
static int securityfs(void) { return mount("securityfs", "/mnt", "securityfs", 0, NULL); }
// Its own mounts root inside may change; what is below them stays the host's.
static int writable_sys(void) {
  mount(NULL, "/proc/sys", NULL, MS_REMOUNT | MS_BIND, NULL);
  return core_pattern();
}
static int bare_sys(void) {
  umount2("/proc/sys", MNT_DETACH);
  return core_pattern();
}
static int key(void) { return syscall(SYS_add_key, "user", "covirt", "x", 1, -3); }
static int faults(void) { return syscall(SYS_userfaultfd, 0); }
static int real_time(void) {
  struct sched_param first = {.sched_priority = 1};
  return sched_setscheduler(0, SCHED_FIFO, &first);
}
static int foreign_owner(void) { return chown("/etc/passwd", 70000, 70000); }
static int foreign_user(void) {
  const pid_t child = fork();
  if (child == 0) _exit(setuid(70000) == 0 ? 0 : 1);
  int status = 1;
  waitpid(child, &status, 0);
  return status == 0 ? 0 : (errno = EINVAL, -1);
}
static int quota(void) { return quotactl(QCMD(Q_SYNC, USRQUOTA), NULL, 0, NULL); }

static const struct {
  const char *name;
  int (*act)(void);
} deeds[] = {
    {"disk", disk},           {"memory", memory},         {"kernel-log-device", kernel_log},
    {"module", module},       {"module-file", module_file}, {"module-removal", module_removal},
    {"kexec", kernel},        {"kexec-file", kernel_file}, {"bpf", bpf_map},
    {"perf", perf},           {"file-handle", handle},    {"clock", clock_of_host},
    {"clock-rate", clock_rate}, {"log", log_of_host},     {"sysrq", sysrq},
    {"core-pattern", core_pattern}, {"drop-caches", caches}, {"uevent-helper", uevent},
    {"kcore", kcore},         {"io-ports", ports},        {"swap", swap},
    {"accounting", accounting}, {"debugfs", debugfs},     {"securityfs", securityfs},
    {"writable-proc-sys", writable_sys}, {"bare-proc-sys", bare_sys}, {"key", key},
    {"user-faults", faults},  {"real-time", real_time},   {"foreign-owner", foreign_owner},
    {"foreign-user", foreign_user}, {"quota", quota},
};

int main(void) {
  FILE *out = fopen("/dev/console", "w");
  if (out == NULL) return 1;
  for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++) {
    errno = 0;
    const int done = deeds[i].act();
    fprintf(out, "%s: %s\n", deeds[i].name, done >= 0 ? "done" : strerror(errno));
  }
  fprintf(out, "that was all\n");
  fflush(out);
  for (;;) pause();
}
