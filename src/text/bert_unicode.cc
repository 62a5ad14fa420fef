#include "text/bert_unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <vector>

#include "base/assert.h"

namespace fp8q {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// Describes a run of characters: every `step`-th character c from first to last becomes c + delta.
struct LowerRun {
  char32_t first;
  char32_t last;
  int step;
  int delta;
};

#include "text/bert_unicode.inc"

// These are the CJK blocks as BERT's original tokenizer lists them.
constexpr Range kCjk[] = {
    {0x3400, 0x4DBF},   {0x4E00, 0x9FFF},   {0xF900, 0xFAFF},   {0x20000, 0x2A6DF},
    {0x2A700, 0x2B81F}, {0x2B920, 0x2CEAF}, {0x2F800, 0x2FA1F},
};

// This is the only character whose lower case is two characters.
constexpr char32_t kCapitalIWithDot = 0x130;
constexpr char32_t kCombiningDotAbove = 0x307;

template <size_t kCount>
bool contains(const Range (&ranges)[kCount], char32_t c) {
  const Range* after = std::upper_bound(std::begin(ranges), std::end(ranges), c,
                                        [](char32_t x, const Range& r) { return x < r.first; });
  return after != std::begin(ranges) && c <= std::prev(after)->last;
}

const LowerRun* lower_run(char32_t c) {
  for (const LowerRun& run : kLower)
    if (c >= run.first && c <= run.last && (c - run.first) % static_cast<char32_t>(run.step) == 0)
      return &run;
  return nullptr;
}

uint8_t classify(char32_t c) {
  uint8_t classes = 0;
  if (contains(kControl, c)) classes |= kBertControl;
  if (contains(kSpace, c)) classes |= kBertSpace;
  if (contains(kPunctuation, c)) classes |= kBertPunctuation;
  if (contains(kNonspacing, c)) classes |= kBertNonspacing;
  if (contains(kReordered, c)) classes |= kBertReordered;
  if (contains(kDecomposed, c)) classes |= kBertDecomposed;
  if (contains(kCjk, c)) classes |= kBertCjk;
  if (c == kCapitalIWithDot || lower_run(c)) classes |= kBertLowered;
  return classes;
}

// The Basic Multilingual Plane is looked up in a table, and the rest is searched.
constexpr size_t kTableSize = 0x10000;

const std::vector<uint8_t>& class_table() {
  static const std::vector<uint8_t> table = [] {
    std::vector<uint8_t> classes(kTableSize);
    for (size_t c = 0; c < kTableSize; ++c) classes[c] = classify(static_cast<char32_t>(c));
    return classes;
  }();
  return table;
}

}  // namespace

uint8_t bert_classes(char32_t c) { return c < kTableSize ? class_table()[c] : classify(c); }

bool is_mark(char32_t c) {
  return (bert_classes(c) & kBertNonspacing) != 0 || contains(kOtherMark, c);
}

std::span<const char32_t> decompose(char32_t c, std::span<char32_t, kMaxExpansion> storage) {
  std::array<utf8proc_int32_t, 16> out;
  int boundary = 0;
  const auto count = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), out.data(),
                                             out.size(), UTF8PROC_DECOMPOSE, &boundary);
  FP8Q_ASSERT(count > 0 && static_cast<size_t>(count) <= kMaxExpansion);
  std::copy_n(out.begin(), count, storage.begin());
  return storage.first(static_cast<size_t>(count));
}

int combining_class(char32_t c) {
  return utf8proc_get_property(static_cast<utf8proc_int32_t>(c))->combining_class;
}

std::span<const char32_t> lower_case(char32_t c, std::span<char32_t, kMaxExpansion> storage) {
  if (c == kCapitalIWithDot) {
    storage[0] = U'i';
    storage[1] = kCombiningDotAbove;
    return storage.first(2);
  }
  const LowerRun* run = lower_run(c);
  storage[0] = run ? static_cast<char32_t>(static_cast<int>(c) + run->delta) : c;
  return storage.first(1);
}

}  // namespace fp8q
