// Pre-tokenizers: how normalized text becomes words, which the model then splits one by one.
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
  bool add_prefix_space = false;  // a space goes before a part that begins with none
  bool use_regex = true;          // split_gpt2 (byte_level.h); else parts stay whole
};

struct PreTokenizerSpec {
  // Each splits what the one before it leaves; none leaves the text whole.
  std::vector<SplitRule> rules;
  std::optional<ByteLevelRule> byte_level;  // after the others
};

class PreTokenizer {
 public:
  explicit PreTokenizer(PreTokenizerSpec spec) : spec_(std::move(spec)) {}

  // Sets `out` to the words of bytes [begin, end) of `text`, valid UTF-8. `scratch` is memory.
  void split(std::string_view text, size_t begin, size_t end, std::vector<Word>& scratch,
             std::vector<Word>& out) const;

 private:
  PreTokenizerSpec spec_;
};

}  // namespace fp8q
