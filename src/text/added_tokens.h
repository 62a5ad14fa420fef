// Finds tokens in the text before it is split into words, such as "[SEP]" or a user's own "<gene>".
//
// A token with normalized = false is searched for in the original text. Other tokens are searched
// for in the normalized text by their own normalized form. The leftmost match counts, and the
// longest of those that begin there.
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
  bool lstrip = false;       // includes the white space before the token
  bool rstrip = false;       // includes the white space after the token
  bool single_word = false;  // matches only if no word character is next to the token
};

struct AddedTokenMatch {
  size_t token;  // index among the given tokens
  size_t begin;  // bytes of the searched text, including white space
  size_t end;
};

class AddedTokenMatcher {
 public:
  AddedTokenMatcher() = default;
  // Empty contents never match. The first of equal contents counts.
  explicit AddedTokenMatcher(std::vector<AddedToken> tokens);

  // Returns the first match at or after `from`, which is the end of the match before.
  std::optional<AddedTokenMatch> find(std::string_view text, size_t from) const;

  const AddedToken& token(size_t index) const { return tokens_[index]; }

 private:
  bool stands_alone(std::string_view text, size_t begin, size_t end) const;

  std::vector<AddedToken> tokens_;
  Trie contents_;
  std::array<bool, 256> starts_with_{};  // first bytes of the contents
};

}  // namespace fp8q
