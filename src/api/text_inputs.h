// Texts as token ids: the tokenizer of a model, checked against its embedding table.
#pragma once

#include <vector>

#include "api/bundle.h"
#include "tasks/dataset.h"
#include "text/tokenizer.h"

namespace fp8q {

// The tokenizer `given`, or the one beside the model.
Tokenizer tokenizer_for(const Bundle& bundle, const std::optional<fs::path>& given);

// All examples, in order; tokenized in parallel.
std::vector<Encoding> tokenize(const Tokenizer& tokenizer, const std::vector<Example>& examples,
                               size_t max_length);

size_t count_tokens(const std::vector<Encoding>& encodings);

}  // namespace fp8q
