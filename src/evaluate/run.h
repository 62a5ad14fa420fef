// Running a model over many token sequences: which ones share a batch, and the results in the
// sequences' order.
//
// Results do not depend on the batching (Engine guarantees it); sorting by length only keeps the
// work of one run even.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "engine/engine.h"
#include "text/tokenizer.h"

namespace fp8q {

struct RunSettings {
  size_t batch = 32;  // sequences per engine run
  bool sort_by_length = true;
  bool mean_tokens = false;  // keep the mean over the tokens of what outputs give per token
};

// Outputs of one sequence, in the order of Engine::run's outputs: [tokens or 1] x width values
// each.
using ExampleOutputs = std::vector<std::vector<float>>;

struct OutputInfo {
  std::string name;
  bool per_token = false;  // as kept: false for a mean
  int64_t width = 0;
};

struct RunResult {
  std::vector<ExampleOutputs> examples;
  std::vector<OutputInfo> outputs;
  size_t tokens = 0;
  double seconds = 0;  // of the engine alone
};

// Called after every batch with the number of examples done.
using Progress = std::function<void(size_t done, size_t total)>;

RunResult run_examples(Engine& engine, std::span<const Encoding> examples,
                       const RunSettings& settings, const Progress& progress = nullptr);

}  // namespace fp8q
