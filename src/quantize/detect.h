// Finds the quantization that a model already carries, so that it is not quantized twice.
#pragma once

#include <optional>
#include <string>

#include "graph/model.h"

namespace fp8q {

struct FoundQuantization {
  std::string description;  // "was converted by fp8q (e4m3)", "contains QuantizeLinear \"x\""
  std::string recipe;       // fp8q's recipe; empty if another tool made the model
};

// Returns nullopt for a float model. Throws an Error (bad_model) if the manifest is damaged.
std::optional<FoundQuantization> find_quantization(const Model& model);
bool is_quantized(const Model& model);

// Returns the name that results use: the recipe of a converted model, "quantized" if another tool
// quantized it, or the type in which the model's weights enter their products: "fp32", "fp16",
// "bf16".
std::string format_of(const Model& model);

}  // namespace fp8q
