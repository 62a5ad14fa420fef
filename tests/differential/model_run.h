// Holds an example model, its reference inputs, and its logits through either execution.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "encoder/encoder.h"
#include "engine/engine.h"
#include "graph/model.h"

namespace fp8q::test {

// Holds token ids and logits recorded for a model: shared/models/reference/<stem>.npz.
struct Reference {
  std::vector<std::vector<int32_t>> ids;
  std::vector<std::vector<int32_t>> type_ids;
  std::vector<std::vector<float>> logits;
};
Reference read_reference(const std::filesystem::path& path);

// Returns `count` indexes spread evenly over [0, total), or all of them with FP8Q_FULL=1 in the
// environment.
std::vector<size_t> chosen(size_t total, size_t count);

struct LoadedModel {
  Model model;
  Encoder encoder;
};
// Fails the test if the model is not recognized as an encoder.
std::unique_ptr<LoadedModel> load(const std::filesystem::path& path);

// Returns the logits of each chosen example. The engine runs the examples in batches of 32.
std::vector<std::vector<float>> logits(Engine& engine, const Reference& reference,
                                       const std::vector<size_t>& examples);
std::vector<std::vector<float>> engine_logits(const LoadedModel& model, const Reference& reference,
                                              const std::vector<size_t>& examples);
std::vector<std::vector<float>> interpreter_logits(const LoadedModel& model,
                                                   const Reference& reference,
                                                   const std::vector<size_t>& examples);

struct Agreement {
  double equal_labels = 0;  // share
  double nmse = 0;          // mean squared difference over mean square of `expected`
  double largest = 0;       // largest absolute difference
};
Agreement compare(const std::vector<std::vector<float>>& actual,
                  const std::vector<std::vector<float>>& expected);

}  // namespace fp8q::test
