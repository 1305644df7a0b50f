#include <errno.h>

#include "program/json.h"
#include "program/verbs.h"

namespace covirt {

int Interfaces(const Job &job) {
  lxc_container *c = job.container;
  if (!c->is_running(c)) return Fail(job.options, job.log, stderr, ESRCH, "the container is not running");
  char **names = c->get_interfaces(c);
  printf("{\"interfaces\":[");
  for (char **name = names; name != nullptr && *name != nullptr; name++) {
    printf("%s{\"name\":", name == names ? "" : ",");
    WriteJsonString(stdout, *name);
    printf(",\"addresses\":[");
    char **addresses = c->get_ips(c, *name, nullptr, 0);
    for (char **address = addresses; address != nullptr && *address != nullptr; address++) {
      if (address != addresses) putchar(',');
      WriteJsonString(stdout, *address);
    }
    printf("]}");
  }
  printf("]}\n");
  return 0;
}

}  // namespace covirt
