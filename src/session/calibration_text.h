// Provides text that is run but not scored, as token ids. Calibration, comparisons and trials use
// it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "fp8q/task_options.h"
#include "session/bundle.h"
#include "tasks/dataset.h"
#include "tasks/task.h"
#include "text/tokenizer.h"

namespace fp8q {

struct TextRequest {
  std::optional<fs::path> tokenizer, config;  // override the files beside the model
  TaskOptions task;                           // split, limit and spans are ignored
  size_t examples = 0;                        // largest number of examples
  std::optional<uint64_t> random_seed;        // random token ids instead of text
};

struct CalibrationText {
  std::vector<Encoding> encodings;
  DataFacts facts;
  std::string tokenizer_sha256;  // empty with random data
  std::string task;              // empty if the text is not a task's
  size_t max_length = 0;         // as requested, or else the task's
};

// Returns text from the task's training data, the given file or folder, the built-in sample, or
// random ids. Adds notes on where the text came from.
CalibrationText calibration_text(const TextRequest& request, const Bundle& bundle,
                                 std::vector<std::string>& notes);

// Returns what a model reads of these examples, with at most as many sequences as there are
// examples. For a span task these are windows that share no text, so that no text counts twice.
// They are spread evenly over the windows of all examples.
std::vector<Encoding> calibration_sequences(const Tokenizer& tokenizer,
                                            const std::vector<Example>& examples, const Task* task,
                                            size_t max_length);

}  // namespace fp8q
