// JSON lines, written piece by piece.
#pragma once

#include <stdio.h>

namespace covirt {

// A quoted, escaped string. Bytes that are no UTF-8 pass unchanged; the reader decodes leniently.
void WriteJsonString(FILE *out, const char *text);

}  // namespace covirt
