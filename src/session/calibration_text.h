// Text that is run and not scored, as token ids: what calibration, comparisons and trials see.
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
  std::optional<fs::path> tokenizer, config;  // override what stands beside the model
  TaskOptions task;                           // split, limit and spans count nothing
  size_t examples = 0;                        // at most
  std::optional<uint64_t> random_seed;        // random token ids instead of text
};

struct CalibrationText {
  std::vector<Encoding> encodings;
  DataFacts facts;
  std::string tokenizer_sha256;  // empty with random data
  std::string task;              // empty where the text is not a task's
  size_t max_length = 0;         // as asked for, or the task's
};

// From the task's training text, the file or folder given, the built-in sample, or random ids.
// Adds notes on where the text came from.
CalibrationText calibration_text(const TextRequest& request, const Bundle& bundle,
                                 std::vector<std::string>& notes);

// What a model reads of these examples, at most as many sequences as there are examples. Of a span
// task that are windows which share nothing, so that no text counts twice; they are spread evenly
// over those of all examples.
std::vector<Encoding> calibration_sequences(const Tokenizer& tokenizer,
                                            const std::vector<Example>& examples, const Task* task,
                                            size_t max_length);

}  // namespace fp8q
