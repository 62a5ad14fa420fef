// Tokens that are found in the text before it is split into words, as "[SEP]" or a user's own
// "<gene>".
//
// A token with normalized = false is sought in the original text, another one in the normalised
// text by its own normalised form. The leftmost match counts, the longest of those that begin
// there. Swallowing white space around a token (lstrip, rstrip) would change no id, since white
// space never becomes a token, and is not done.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fp8q {

struct AddedToken {
  std::string content;
  int32_t id = 0;
  bool normalized = false;
};

struct AddedTokenMatch {
  int32_t id;
  size_t begin;  // bytes of the text searched
  size_t end;
};

class AddedTokenMatcher {
 public:
  struct Pattern {
    std::string text;
    int32_t id;
  };

  AddedTokenMatcher() = default;
  // Empty patterns never match; of equal ones the first counts.
  explicit AddedTokenMatcher(std::vector<Pattern> patterns);

  // The first match at or after `from`.
  std::optional<AddedTokenMatch> find(std::string_view text, size_t from) const;

 private:
  std::vector<Pattern> patterns_;        // longest first
  std::array<bool, 256> starts_with_{};  // first bytes of the patterns
};

}  // namespace fp8q
