#include "tools/fp8q/tell.h"

#include <string.h>
#include <unistd.h>

namespace fp8q::cli {

void tell(const char* text) {
  if (write(STDERR_FILENO, text, strlen(text)) < 0) return;
}

}  // namespace fp8q::cli
