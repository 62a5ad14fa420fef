// Makes the checks that options of several commands share.
#pragma once

#include <cstddef>

namespace fp8q {

// Throws an Error (usage) if an option is below the least meaningful value.
void require_at_least(const char* option, size_t value, size_t least);

}  // namespace fp8q
