// Dynamic quantization of tokens: every row of a tensor is quantized with a scale of its own, found
// at run time, and dequantized. In a file it is a call of a function of the file, whose body
// consists of standard operators, so that every runtime that knows functions can execute it:
//
//   scale = Max(ReduceMax(|x|, last axis) / largest, 2^-126)         token_scale()
//   y     = DequantizeLinear(QuantizeLinear(x / scale, 1), 1) * scale
//
// QuantizeLinear itself has one scale or one per index of an axis, known in advance in the form
// that runtimes like; with the scale 1 it rounds and saturates what has been divided before.
#pragma once

#include <optional>
#include <string>

#include "graph/function.h"
#include "graph/site.h"

namespace fp8q {

// The domain of functions that fp8q defines in its files, and its version.
inline constexpr const char* kFunctionDomain = "fp8q";
inline constexpr int64_t kFunctionVersion = 1;

// "RoundTokens_int8": one input, one output of its shape. For opset 18 and newer.
LocalFunction token_rounding(Format format);

struct TokenRounding {
  Quantization quantization;
  std::string input;
};
// Where `value` is what such a call makes, expanded; nullopt for everything else.
std::optional<TokenRounding> find_token_rounding(const GraphIndex& index, const std::string& value,
                                                 const ContentsOf& contents);

}  // namespace fp8q
