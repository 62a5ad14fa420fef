// Plans memory before it is allocated, so that work that does not fit is refused with a message
// instead of being ended by the kernel.
//
// A plan counts anonymous memory (base/memory.h): what the process has when the plan is made, and
// what is to come. Pages of mapped files do not count, because the kernel can take them back. These
// are the weights of a model as it is loaded, and programs and libraries. The planned number is
// therefore an upper bound of RssAnon in /proc/self/status, and of what stays charged to a control
// group when its page cache is dropped. The peak of the resident size (VmHWM, ru_maxrss) may be
// higher by the pages of the mapped files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/memory_limit.h"

namespace fp8q {

class MemoryPlan {
 public:
  // Begins with what the process has; freed memory is given back first.
  MemoryPlan();

  // Adds something to come. `what` names it in messages: "packed weights".
  MemoryPlan& add(const char* what, uint64_t bytes);

  uint64_t bytes() const;  // all of it
  bool fits() const { return bytes() <= limit_.bytes; }
  // Notes the plan for planned_memory_bytes(). Throws an Error (limit) if it does not fit. The
  // message begins with `who`, and says what is needed, the limit, where it comes from, and
  // `remedy`: "use a smaller model".
  void require(const std::string& who, const std::string& remedy) const;

  // Returns how many of `most` pieces of work, of `each` bytes while they run, fit side by side
  // beside the plan; at least 1.
  size_t side_by_side(uint64_t each, size_t most) const;

 private:
  struct Part {
    const char* what;
    uint64_t bytes;
  };
  MemoryLimit limit_;
  std::vector<Part> parts_;
};

// Returns the largest plan so far that was required, or 0 if there was none.
uint64_t planned_memory_bytes();

// Is called before large parts of memory are allocated: tensors, and buffers of engines. It is the
// net under the plans, for what follows from the contents of files rather than from shapes. Throws
// an Error (limit) if the process then has more than the memory limit. It looks only once per
// kBytesBetweenChecks, which takes some 100 microseconds.
inline constexpr uint64_t kBytesBetweenChecks = uint64_t{16} << 20;
void check_allocation(uint64_t bytes);

}  // namespace fp8q
