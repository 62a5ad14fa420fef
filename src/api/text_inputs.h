// Texts as token ids: the tokenizer of a model, checked against its embedding table.
#pragma once

#include <vector>

#include "api/bundle.h"
#include "tasks/dataset.h"
#include "tasks/task.h"
#include "text/tokenizer.h"

namespace fp8q {

// The tokenizer `given`, or the one beside the model.
Tokenizer tokenizer_for(const Bundle& bundle, const std::optional<fs::path>& given);

// What a model reads of text to calibrate on, at most as many sequences as there are examples. Of a
// span task that are windows which share nothing, so that no text counts twice; they are spread
// evenly over those of all examples.
std::vector<Encoding> calibration_sequences(const Tokenizer& tokenizer,
                                            const std::vector<Example>& examples, const Task* task,
                                            size_t max_length);

}  // namespace fp8q
