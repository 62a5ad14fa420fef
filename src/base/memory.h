// Tells how much memory the process uses.
//
// Anonymous memory is what a process allocates. It is charged to the process until it is freed:
// without swap, the kernel can only take it back by ending a process. Pages of mapped files are
// not anonymous. The kernel drops them when memory is short, and reads them again when they are
// used.
#pragma once

#include <cstdint>

namespace fp8q {

// Returns the largest resident size so far: anonymous memory and pages of mapped files.
uint64_t peak_rss_bytes();

struct MemoryUse {
  uint64_t anonymous = 0;      // resident: RssAnon in /proc/self/status
  uint64_t address_space = 0;  // what RLIMIT_AS limits
  uint64_t data = 0;           // what RLIMIT_DATA limits, and the stack
};
// Returns zeros where the system does not tell.
MemoryUse memory_use();

// Gives freed memory back to the system, as far as the allocator can.
void trim_memory();

// Makes the allocator give every block of a MiB or more back as soon as it is freed. By itself,
// glibc's keeps blocks of up to 32 MiB after a few were freed, and what it keeps is in pieces. It
// is for programs to call, at their start.
void return_large_blocks();

}  // namespace fp8q
