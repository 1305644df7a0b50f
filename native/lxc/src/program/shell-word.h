#pragma once

#include <stddef.h>

namespace covirt {

// `text` as one word of a shell; false where that does not fit.
bool QuoteWord(const char *text, char *out, size_t size);

}  // namespace covirt
