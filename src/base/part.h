// Describes the part of a run's examples that something covers: all, a shard, or those done so far.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace fp8q {

// Covers [begin, end) of `of` examples. The default covers all of them.
struct Part {
  int64_t begin = 0;
  int64_t end = 0;
  int64_t of = 0;
  bool whole() const { return begin == 0 && end == of; }
  int64_t size() const { return end - begin; }
  std::string text() const;  // "examples 43 to 85 of 128", counted from 1
  friend bool operator==(const Part&, const Part&) = default;
};

// Throws an Error (usage) if there is no shard `index` of `count`, counted from 1.
void check_shard(size_t index, size_t count);

// Returns the examples of a valid shard. The shards are contiguous and as equal as possible.
Part part_of_shard(size_t examples, size_t index, size_t count);

}  // namespace fp8q
