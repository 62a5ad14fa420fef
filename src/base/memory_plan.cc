#include "base/memory_plan.h"

#include <algorithm>
#include <atomic>

#include "base/checked.h"
#include "base/error.h"
#include "base/memory.h"

namespace fp8q {
namespace {

std::atomic<uint64_t> largest_plan = 0;
std::atomic<uint64_t> unchecked = 0;  // bytes since the last check

// Needs are rounded up, and limits down.
uint64_t mebibytes_up(uint64_t bytes) { return (bytes >> 20) + (bytes % (1 << 20) != 0); }
uint64_t mebibytes_down(uint64_t bytes) { return bytes >> 20; }

}  // namespace

MemoryPlan::MemoryPlan() {
  trim_memory();
  limit_ = memory_limit();
  add("in use", memory_use().anonymous);
}

MemoryPlan& MemoryPlan::add(const char* what, uint64_t bytes) {
  parts_.push_back({what, bytes});
  return *this;
}

uint64_t MemoryPlan::bytes() const {
  uint64_t sum = 0;
  for (const Part& part : parts_) sum = capped_add(sum, part.bytes);
  return sum;
}

void MemoryPlan::require(const std::string& who, const std::string& remedy) const {
  if (!fits()) {
    std::vector<std::string> list;
    for (const auto& [what, bytes] : parts_)
      if (bytes > 0) list.push_back(fmt::format("{} MiB {}", mebibytes_up(bytes), what));
    fail(ErrorCode::limit,
         "{}: needs {} MiB of memory ({}), more than the {} MiB of {}; {}, or allow more", who,
         mebibytes_up(bytes()), fmt::join(list, ", "), mebibytes_down(limit_.bytes), limit_.source,
         remedy);
  }
  uint64_t largest = largest_plan;
  while (largest < bytes() && !largest_plan.compare_exchange_weak(largest, bytes())) {
  }
}

size_t MemoryPlan::side_by_side(uint64_t each, size_t most) const {
  const uint64_t planned = bytes();
  const uint64_t left = limit_.bytes > planned ? limit_.bytes - planned : 0;
  return std::clamp<size_t>(left / std::max<uint64_t>(each, 1), 1, std::max<size_t>(most, 1));
}

uint64_t planned_memory_bytes() { return largest_plan; }

void check_allocation(uint64_t bytes) {
  if (unchecked.fetch_add(bytes) + bytes < kBytesBetweenChecks) return;
  unchecked = 0;
  const MemoryLimit limit = memory_limit();
  const uint64_t used = memory_use().anonymous;
  if (capped_add(used, bytes) <= limit.bytes) return;
  fail(
      ErrorCode::limit,
      "{} MiB of memory more would be needed at once beside {} MiB in use, more than the {} MiB of "
      "{}; use a smaller model, or allow more",
      mebibytes_up(bytes), mebibytes_up(used), mebibytes_down(limit.bytes), limit.source);
}

}  // namespace fp8q
