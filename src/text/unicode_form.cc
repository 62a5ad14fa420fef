#include "text/unicode_form.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/assert.h"
#include "text/bert_unicode.h"

namespace fp8q {
namespace {

// These characters got a decomposition in a later version than Unicode 9, and have no canonical one
// in bert_unicode.inc.
constexpr std::array<std::pair<char32_t, char32_t>, 10> kNewDecompositions = {{
    {0x32FF, 0x32FF},
    {0xA7F2, 0xA7F4},
    {0xAB69, 0xAB69},
    {0x10781, 0x10785},
    {0x10787, 0x107B0},
    {0x107B2, 0x107BA},
    {0x11938, 0x11938},
    {0x1E030, 0x1E06D},
    {0x1F16C, 0x1F16C},
    {0x1FBF0, 0x1FBF9},
}};

bool has(char32_t c, BertCharClass wanted) { return (bert_classes(c) & wanted) != 0; }

int order_of(char32_t c) {
  return has(c, kBertNonspacing) || has(c, kBertReordered) ? combining_class(c) : 0;
}

// Describes a character of the result. As in the reference, it counts how many characters of the
// input it stands for, not which, so that sources never decrease.
struct Placed {
  char32_t value;
  int taken;  // 0: has the source of the character before
};

constexpr size_t kMostParts = 18;  // U+FDFA

size_t decompose_any(char32_t c, bool compatibility, std::array<char32_t, kMostParts>& parts) {
  parts[0] = c;
  const bool canonical = has(c, kBertDecomposed);
  const bool is_new = std::ranges::any_of(
      kNewDecompositions, [c](auto range) { return range.first <= c && c <= range.second; });
  if (c < 0x80 || (!canonical && (!compatibility || is_new))) return 1;
  std::array<utf8proc_int32_t, kMostParts> out;
  int boundary = 0;
  const int options = UTF8PROC_DECOMPOSE | (compatibility ? UTF8PROC_COMPAT : 0);
  const auto count =
      utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), out.data(), out.size(),
                              static_cast<utf8proc_option_t>(options), &boundary);
  FP8Q_ASSERT(count > 0 && static_cast<size_t>(count) <= kMostParts);
  std::copy_n(out.begin(), count, parts.begin());
  return static_cast<size_t>(count);
}

std::vector<Placed> decomposed(const std::vector<SourcedChar>& text, bool compatibility) {
  std::vector<Placed> out;
  out.reserve(text.size());
  size_t marks = 0;  // first of the marks that are not yet ordered
  const auto order_marks = [&] {
    std::stable_sort(
        out.begin() + static_cast<ptrdiff_t>(marks), out.end(),
        [](const Placed& a, const Placed& b) { return order_of(a.value) < order_of(b.value); });
  };
  std::array<char32_t, kMostParts> parts;
  for (const SourcedChar& c : text) {
    const size_t count = decompose_any(c.value, compatibility, parts);
    for (size_t i = 0; i < count; ++i) {
      const bool starter = order_of(parts[i]) == 0;
      if (starter) order_marks();
      out.push_back({parts[i], i == 0 ? 1 : 0});
      if (starter) marks = out.size();
    }
  }
  order_marks();
  return out;
}

std::optional<char32_t> compose_pair(char32_t a, char32_t b) {
  if (b < 0x300) return std::nullopt;  // no composite ends with such a character
  std::array<utf8proc_int32_t, 2> pair = {static_cast<utf8proc_int32_t>(a),
                                          static_cast<utf8proc_int32_t>(b)};
  const auto options = static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE);
  if (utf8proc_normalize_utf32(pair.data(), 2, options) != 1) return std::nullopt;
  const auto composite = static_cast<char32_t>(pair[0]);
  if (!has(composite, kBertDecomposed)) return std::nullopt;  // not yet in Unicode 9
  return composite;
}

// Runs the canonical composition algorithm, D117 in section 3.11 of the Unicode standard.
std::vector<Placed> composed(const std::vector<Placed>& text) {
  std::vector<Placed> out;
  out.reserve(text.size());
  std::optional<size_t> starter;  // index in `out`
  int last_order = -1;            // class of the last character kept after the starter
  for (const Placed& c : text) {
    const int order = order_of(c.value);
    if (starter && last_order < order) {
      if (const auto composite = compose_pair(out[*starter].value, c.value)) {
        out[*starter].value = *composite;
        out[*starter].taken += c.taken;
        continue;
      }
    }
    if (order == 0) {
      starter = out.size();
      last_order = -1;
    } else {
      last_order = order;
    }
    out.push_back(c);
  }
  return out;
}

}  // namespace

void apply_form(bool compatibility, bool compose, std::vector<SourcedChar>& text) {
  std::vector<Placed> placed = decomposed(text, compatibility);
  if (compose) placed = composed(placed);
  std::vector<SourcedChar> out;
  out.reserve(placed.size());
  size_t next = 0;  // index in the input
  for (const Placed& c : placed) {
    const size_t at = c.taken > 0 || next == 0 ? next : next - 1;
    out.push_back({c.value, text[std::min(at, text.size() - 1)].source});
    next += static_cast<size_t>(c.taken);
  }
  text = std::move(out);
}

}  // namespace fp8q
