// What the process takes of the machine's memory.
#pragma once

#include <cstdint>

namespace fp8q {

// The most that was resident at any time so far.
uint64_t peak_rss_bytes();

}  // namespace fp8q
