// Text normalization is the steps that a tokenizer takes before it splits text into words.
#pragma once

#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "text/bert_normalizer.h"

namespace fp8q {

enum class TextRule { nfc, nfd, nfkc, nfkd, lowercase, strip_accents };

using NormalizerStep = std::variant<NormalizerOptions, TextRule>;

class Normalizer {
 public:
  // Steps run in order. Without any, text stays as it is.
  explicit Normalizer(std::vector<NormalizerStep> steps);

  // Appends the normalized `text`, whose first code point has the index out.code_points. The result
  // is valid UTF-8, whatever the text.
  void append(std::string_view text, NormalizedText& out) const;

 private:
  std::vector<NormalizerStep> steps_;
  std::optional<BertNormalizer> bert_;  // set if it is the only step
};

}  // namespace fp8q
