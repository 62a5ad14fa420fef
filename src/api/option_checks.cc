#include "api/option_checks.h"

#include "base/error.h"

namespace fp8q {

void require_at_least(const char* option, size_t value, size_t least) {
  if (value < least) fail(ErrorCode::usage, "{} {}: must be at least {}", option, value, least);
}

}  // namespace fp8q
