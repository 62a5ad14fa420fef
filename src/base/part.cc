#include "base/part.h"

#include "base/error.h"

namespace fp8q {

std::string Part::text() const {
  return fmt::format("examples {} to {} of {}", begin + 1, end, of);
}

void check_shard(size_t index, size_t count) {
  if (index < 1 || index > count)
    fail(ErrorCode::usage, "--shard {}/{}: shards are counted from 1 to their number", index,
         count);
}

Part part_of_shard(size_t examples, size_t index, size_t count) {
  FP8Q_ASSERT(index >= 1 && index <= count);
  const auto bound = [&](size_t i) { return static_cast<int64_t>(examples * i / count); };
  return {bound(index - 1), bound(index), static_cast<int64_t>(examples)};
}

}  // namespace fp8q
