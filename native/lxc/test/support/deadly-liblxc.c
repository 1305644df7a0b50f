// liblxc, but who attaches from within the control groups of a container is killed as soon as that is done.
#include <dlfcn.h>
#include <lxc/attach_options.h>
#include <lxc/lxccontainer.h>
#include <signal.h>

static int (*attach)(struct lxc_container *c, lxc_attach_exec_t exec, void *payload, lxc_attach_options_t *options,
                     pid_t *attached);

static int attach_and_die(struct lxc_container *c, lxc_attach_exec_t exec, void *payload, lxc_attach_options_t *options,
                          pid_t *attached) {
  const int result = attach(c, exec, payload, options, attached);
  if ((options->attach_flags & LXC_ATTACH_MOVE_TO_CGROUP) == 0) raise(SIGKILL);
  return result;
}

struct lxc_container *lxc_container_new(const char *name, const char *path) {
  void *library = dlopen("liblxc.so.1", RTLD_LAZY);
  struct lxc_container *(*make)(const char *, const char *) = dlsym(library, "lxc_container_new");
  struct lxc_container *c = make(name, path);
  if (c != NULL) {
    attach = c->attach;
    c->attach = attach_and_die;
  }
  return c;
}
