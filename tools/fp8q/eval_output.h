// Outputs the scores of models for eval, and for merge after it: tables, JSON, and the gate.
#pragma once

#include <vector>

#include "fp8q/evaluate.h"
#include "tools/fp8q/command.h"

namespace fp8q::cli {

struct EvalOutput {
  bool list_kernels = false;
  bool list_flips = false;
  std::optional<double> max_drop;
  fs::path predictions;
  std::vector<Option> options;  // the options that set the members above

  // Returns the first of the options that was given, or nullptr.
  const Option* given() const;
};

// Adds --max-drop, --predictions, --kernels and --flips, and returns the first one.
Option add_eval_output_options(Command& command, EvalOutput& output);

// Prints and writes the results. Throws an Error (accuracy_gate) if a score fell by more than
// --max-drop.
void put_out(const std::vector<EvaluateResult>& results, const EvalOutput& output,
             const Globals& globals);

}  // namespace fp8q::cli
