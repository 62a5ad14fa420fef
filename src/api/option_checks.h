// What options of several commands must fulfil.
#pragma once

#include <cstddef>

namespace fp8q {

// Error (usage): an option below the least value that has a meaning.
void require_at_least(const char* option, size_t value, size_t least);

}  // namespace fp8q
