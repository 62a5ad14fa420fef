#include "base/memory.h"

#include <malloc.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

namespace fp8q {

uint64_t peak_rss_bytes() {
  struct rusage usage {};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<uint64_t>(usage.ru_maxrss) * 1024;  // Linux counts in KiB
}

MemoryUse memory_use() {
  static const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  std::ifstream file("/proc/self/statm");  // counts pages
  uint64_t all = 0, resident = 0, shared = 0, text = 0, library = 0, data = 0;
  if (!(file >> all >> resident >> shared >> text >> library >> data)) return {};
  return {(resident - shared) * page, all * page, data * page};
}

void trim_memory() {
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

void return_large_blocks() {
#ifdef __GLIBC__
  constexpr int kLargeBlock = 1 << 20;
  mallopt(M_MMAP_THRESHOLD, kLargeBlock);
  // Setting one fixes the other at 128 KiB, which small blocks would cross all the time.
  mallopt(M_TRIM_THRESHOLD, 4 * kLargeBlock);
#endif
}

}  // namespace fp8q
