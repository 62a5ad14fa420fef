#include "text/trie.h"

#include <algorithm>
#include <deque>

namespace fp8q {
namespace {

constexpr size_t kBytes = 256;

// The entries [begin, end) share their first `depth` bytes, which lead to `node`.
struct Span {
  uint32_t node;
  size_t begin;
  size_t end;
  size_t depth;
};

}  // namespace

// Returns a base at which the cells of all labels are free. Stretches that were found nearly full
// are not searched again, and after some attempts cells are appended. Building therefore takes
// nearly linear time for any strings.
uint32_t Trie::place(const std::vector<unsigned char>& labels) {
  constexpr int kAttempts = 256;
  while (cells_[search_from_].parent != kFree) ++search_from_;
  int attempts = 0;
  for (uint32_t cell = search_from_; attempts < kAttempts && cell + kBytes < cells_.size();
       ++cell) {
    if (cells_[cell].parent != kFree || cell <= labels[0]) continue;
    ++attempts;
    const uint32_t base = cell - labels[0];
    const auto free = [&](unsigned char c) { return cells_[base + c].parent == kFree; };
    if (!std::ranges::all_of(labels, free)) continue;
    const auto used = cell - search_from_ - static_cast<uint32_t>(attempts);
    if (used > 19 * static_cast<uint32_t>(attempts)) search_from_ = cell;
    return base;
  }
  return static_cast<uint32_t>(cells_.size()) - kBytes;
}

Trie::Trie(std::vector<Entry> entries) : cells_(2 * kBytes) {
  std::ranges::sort(entries);
  // The order is breadth first, so that the nodes near the root, which every search visits, are
  // close together.
  std::deque<Span> open = {{0, 0, entries.size(), 0}};
  std::vector<unsigned char> labels;
  for (; !open.empty(); open.pop_front()) {
    Span span = open.front();
    if (span.begin < span.end && entries[span.begin].first.size() == span.depth)
      cells_[span.node].value = entries[span.begin++].second;
    if (span.begin == span.end) continue;
    const auto label = [&](size_t e) {
      return static_cast<unsigned char>(entries[e].first[span.depth]);
    };
    labels.clear();
    for (size_t e = span.begin; e < span.end; ++e)
      if (labels.empty() || labels.back() != label(e)) labels.push_back(label(e));
    const uint32_t base = place(labels);
    cells_[span.node].base = base;
    if (cells_.size() < base + 2 * kBytes) cells_.resize(base + 2 * kBytes);
    for (size_t e = span.begin; e < span.end;) {
      const unsigned char c = label(e);
      const size_t begin = e;
      while (e < span.end && label(e) == c) ++e;
      cells_[base + c].parent = span.node;
      open.push_back({base + c, begin, e, span.depth + 1});
    }
  }
}

}  // namespace fp8q
