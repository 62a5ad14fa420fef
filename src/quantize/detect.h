// What quantization a model already carries, so that it is not quantized twice.
#pragma once

#include <optional>
#include <string>

#include "graph/model.h"

namespace fp8q {

struct FoundQuantization {
  std::string description;  // "was converted by fp8q (e4m3)", "contains QuantizeLinear \"x\""
  std::string recipe;       // of fp8q; empty where something else made the model
};

// nullopt for a float model. A damaged manifest is an Error (bad_model).
std::optional<FoundQuantization> find_quantization(const Model& model);
bool is_quantized(const Model& model);

// How results call it: the recipe of a converted model, "quantized" where something else did it,
// "fp32".
std::string format_of(const Model& model);

}  // namespace fp8q
