// Holds the merges of a byte-pair encoding. They say which token two neighbors become, and how
// early.
//
// The table is flat with linear probing, because a look-up is the innermost step of splitting a
// word.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace fp8q {

struct Merge {
  int32_t left;
  int32_t right;
  int32_t result;
};

class MergeTable {
 public:
  struct Entry {
    uint64_t key = kEmpty;
    uint32_t rank = 0;  // lower ones are merged first
    int32_t result = 0;
  };

  // A merge's rank is its index. The last of equal pairs counts. Ids are not negative.
  explicit MergeTable(const std::vector<Merge>& merges)
      : slots_(std::bit_ceil(2 * merges.size() + 1)) {
    for (size_t rank = 0; rank < merges.size(); ++rank) {
      const Merge& merge = merges[rank];
      const uint64_t key = key_of(merge.left, merge.right);
      slots_[slot_of(key)] = {key, static_cast<uint32_t>(rank), merge.result};
    }
  }

  // Returns the merge of two neighbors, or nullptr if there is none.
  const Entry* find(int32_t left, int32_t right) const {
    const Entry& entry = slots_[slot_of(key_of(left, right))];
    return entry.key == kEmpty ? nullptr : &entry;
  }

 private:
  static constexpr uint64_t kEmpty = UINT64_MAX;

  static uint64_t key_of(int32_t left, int32_t right) {
    return uint64_t{static_cast<uint32_t>(left)} << 32 | static_cast<uint32_t>(right);
  }

  // Returns the slot of the key, or the empty slot where it would be.
  size_t slot_of(uint64_t key) const {
    constexpr uint64_t kGoldenRatio = 0x9E3779B97F4A7C15;  // 2^64 / phi: Knuth, volume 3, 6.4
    const size_t mask = slots_.size() - 1;
    size_t slot = static_cast<size_t>(key * kGoldenRatio >> 32) & mask;
    while (slots_[slot].key != kEmpty && slots_[slot].key != key) slot = (slot + 1) & mask;
    return slot;
  }

  std::vector<Entry> slots_;
};

}  // namespace fp8q
