// BERT's text normalization cleans text, puts spaces around CJK characters, strips accents and
// makes text lower case.
//
// One pass over the text does the four steps of the `tokenizers` package's BertNormalizer. Every
// byte of the result remembers which code point of the original it came from. This turns tokens
// back into character offsets.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fp8q {

struct NormalizerOptions {
  bool clean_text = true;            // drop control characters, every white space becomes U+0020
  bool handle_chinese_chars = true;  // spaces around CJK characters
  bool strip_accents = true;         // canonical decomposition without nonspacing marks
  bool lowercase = true;
};

struct NormalizedText {
  std::string bytes;             // UTF-8
  std::vector<uint32_t> source;  // per byte: index of the original code point
  uint32_t code_points = 0;      // count in the original, summed over calls

  void clear_text() {
    bytes.clear();
    source.clear();
  }
};

class BertNormalizer {
 public:
  explicit BertNormalizer(const NormalizerOptions& options);

  // Appends the normalized `text`, whose first code point has the index out.code_points.
  void append(std::string_view text, NormalizedText& out) const;

  const NormalizerOptions& options() const { return options_; }

 private:
  struct Pass;
  void append_ascii(std::string_view run, Pass& pass, NormalizedText& out) const;

  NormalizerOptions options_;
  std::array<char, 128> ascii_;  // replacement of an ASCII character; kDropped if it is removed
};

}  // namespace fp8q
