// Tells how much memory the process uses.
#pragma once

#include <cstdint>

namespace fp8q {

// Returns the largest resident size so far.
uint64_t peak_rss_bytes();

}  // namespace fp8q
