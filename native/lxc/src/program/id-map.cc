#include "program/id-map.h"

#include <stdio.h>

namespace covirt {

unsigned HostId(pid_t process, const char *map, unsigned inner) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%d/%s", process, map);
  FILE *file = fopen(path, "re");
  if (file == nullptr) return static_cast<unsigned>(-1);
  unsigned first, host, count;
  unsigned found = static_cast<unsigned>(-1);
  while (fscanf(file, "%u %u %u", &first, &host, &count) == 3) {
    if (inner >= first && inner - first < count) found = host + (inner - first);
  }
  fclose(file);
  return found;
}

}  // namespace covirt
