#include "text/truncation.h"

#include <algorithm>

namespace fp8q {

std::pair<size_t, size_t> truncate_longest_first(size_t first, size_t second, size_t room) {
  if (first + second <= room) return {first, second};
  const size_t shorter = std::min(first, second);
  size_t keep_shorter = shorter;
  size_t keep_longer = room - std::min(room, shorter);
  if (keep_longer < shorter) {
    keep_shorter = room / 2;
    keep_longer = room - keep_shorter;
  }
  if (first > second) return {keep_longer, keep_shorter};
  return {keep_shorter, keep_longer};
}

}  // namespace fp8q
