// Pre-tokenizers split normalized text into words, which the model then splits one by one.
#pragma once

#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "text/piece.h"

namespace fp8q {

enum class SplitRule {
  bert,         // white space separates, punctuation characters are words
  white_space,  // white space separates
  words,        // runs of \w, and runs of anything else but white space
  punctuation,  // punctuation characters are words; white space is kept
  digits,       // runs of numbers are words
  each_digit,   // each number character is a word
};

struct ByteLevelRule {
  bool add_prefix_space = false;  // put a space before a part that begins with none
  bool use_regex = true;          // use split_gpt2() (byte_level.h); else parts stay whole
};

struct PreTokenizerSpec {
  // Each rule splits what the rule before it leaves. Without rules the text stays whole.
  std::vector<SplitRule> rules;
  std::optional<ByteLevelRule> byte_level;  // applied after the others
};

class PreTokenizer {
 public:
  explicit PreTokenizer(PreTokenizerSpec spec) : spec_(std::move(spec)) {}

  // Sets `out` to the words of bytes [begin, end) of `text`, valid UTF-8. `scratch` is memory that
  // calls reuse.
  void split(std::string_view text, size_t begin, size_t end, std::vector<Word>& scratch,
             std::vector<Word>& out) const;

 private:
  PreTokenizerSpec spec_;
};

}  // namespace fp8q
