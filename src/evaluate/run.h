// Runs a model over many token sequences. Decides which sequences share a batch, and returns the
// results in the sequences' order.
//
// Results do not depend on the batching, which Engine guarantees. Sorting by length only keeps the
// work of one run even.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "engine/engine.h"
#include "text/tokenizer.h"

namespace fp8q {

struct RunSettings {
  size_t batch = 32;  // sequences per engine run
  bool sort_by_length = true;
  // If set, outputs per token are replaced by one row for each sequence, made by this function.
  std::optional<RowFunction> pooling;
};

// Holds the outputs of one sequence, in the order of Engine::run's outputs. Each has [tokens or 1]
// x width values.
using ExampleOutputs = std::vector<std::vector<float>>;

struct OutputInfo {
  std::string name;
  bool per_token = false;  // false if pooled
  int64_t width = 0;
};

struct RunResult {
  std::vector<ExampleOutputs> examples;
  std::vector<OutputInfo> outputs;
  size_t tokens = 0;
  double seconds = 0;  // time of the engine alone
};

// It is called after every batch with the number of examples done.
using Progress = std::function<void(size_t done, size_t total)>;

RunResult run_examples(Engine& engine, std::span<const Encoding> examples,
                       const RunSettings& settings, const Progress& progress = nullptr);

}  // namespace fp8q
