// The token ids that calibration runs through a model.
#pragma once

#include "api/bundle.h"
#include "fp8q/calibrate.h"
#include "text/tokenizer.h"

namespace fp8q {

struct CalibrationText {
  std::vector<Encoding> encodings;
  DataFacts facts;
  std::string tokenizer_sha256;  // empty with random data
  std::string task;              // empty where the text is not a task's
  size_t max_length = 0;         // as asked for, or the task's
};

// From the task's training text, the file or folder given, the built-in sample, or random ids.
// Adds notes on where the text came from.
CalibrationText calibration_text(const CalibrateOptions& options, const Bundle& bundle,
                                 std::vector<std::string>& notes);

}  // namespace fp8q
