// Tokens that are found in the text before it is split into words, as "[SEP]" or a user's own
// "<gene>".
//
// A token with normalized = false is sought in the original text, another one in the normalized
// text by its own normalized form. The leftmost match counts, the longest of those that begin
// there.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/trie.h"

namespace fp8q {

struct AddedToken {
  std::string content;
  int32_t id = 0;
  bool normalized = false;
  bool lstrip = false;       // takes in the white space before it
  bool rstrip = false;       // takes in the white space after it
  bool single_word = false;  // matches only where no word character stands beside it
};

struct AddedTokenMatch {
  size_t token;  // its index among those given
  size_t begin;  // bytes of the text searched, white space taken in
  size_t end;
};

class AddedTokenMatcher {
 public:
  AddedTokenMatcher() = default;
  // Empty contents never match; of equal ones the first counts.
  explicit AddedTokenMatcher(std::vector<AddedToken> tokens);

  // The first match at or after `from`, the end of the match before.
  std::optional<AddedTokenMatch> find(std::string_view text, size_t from) const;

  const AddedToken& token(size_t index) const { return tokens_[index]; }

 private:
  bool stands_alone(std::string_view text, size_t begin, size_t end) const;

  std::vector<AddedToken> tokens_;
  Trie contents_;
  std::array<bool, 256> starts_with_{};  // first bytes of the contents
};

}  // namespace fp8q
