#pragma once

#include <string.h>

namespace covirt {

inline constexpr int kMaxWords = 64;

// A network link of a container, in the words of its configuration: KEY=VALUE without "lxc.net.N."
class Words {
 public:
  explicit Words(char **argv) : argv_(argv) {}

  // Null where the key is not there; `nth` counts those that are there several times.
  const char *Find(const char *key, int nth = 0) const {
    const size_t length = strlen(key);
    for (int index = 0; argv_[index] != nullptr && index < kMaxWords; index++) {
      const char *word = argv_[index];
      if (strncmp(word, key, length) == 0 && word[length] == '=' && nth-- == 0) return word + length + 1;
    }
    return nullptr;
  }

  bool Is(const char *key, const char *value) const {
    const char *found = Find(key);
    return found != nullptr && strcmp(found, value) == 0;
  }

 private:
  char **argv_;
};

}  // namespace covirt
