// Which of a run's examples something holds: all, a shard of them, or those done so far.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace fp8q {

// [begin, end) of `of` examples. As it is by default: all of them.
struct Part {
  int64_t begin = 0;
  int64_t end = 0;
  int64_t of = 0;
  bool whole() const { return begin == 0 && end == of; }
  int64_t size() const { return end - begin; }
  std::string text() const;  // "examples 43 to 85 of 128", counted from 1
  friend bool operator==(const Part&, const Part&) = default;
};

// Error (usage): there is no shard `index` of `count`, counted from 1.
void check_shard(size_t index, size_t count);

// The examples of a shard that there is: of stretches as equal as can be.
Part part_of_shard(size_t examples, size_t index, size_t count);

}  // namespace fp8q
