#include "program/shell-word.h"

namespace covirt {

bool QuoteWord(const char *text, char *out, size_t size) {
  size_t at = 0;
  const auto put = [&](char c) { return at + 1 < size ? (out[at++] = c, true) : false; };
  bool fits = put('\'');
  for (; fits && *text != '\0'; text++) {
    if (*text == '\'') {
      fits = put('\'') && put('\\') && put('\'') && put('\'');
    } else {
      fits = put(*text);
    }
  }
  fits = fits && put('\'');
  out[at] = '\0';
  return fits;
}

}  // namespace covirt
