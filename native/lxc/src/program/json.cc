#include "program/json.h"

namespace covirt {

void WriteJsonString(FILE *out, const char *text) {
  fputc('"', out);
  for (const char *at = text; *at != '\0'; at++) {
    const unsigned char byte = static_cast<unsigned char>(*at);
    if (byte == '"' || byte == '\\') {
      fputc('\\', out);
      fputc(byte, out);
    } else if (byte < 0x20) {
      fprintf(out, "\\u%04x", byte);
    } else {
      fputc(byte, out);
    }
  }
  fputc('"', out);
}

}  // namespace covirt
