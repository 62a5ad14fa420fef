// Implements dynamic quantization of tokens: every row of a tensor is quantized with its own scale,
// found at run time, and dequantized. In a file this is a call of a function that the file defines.
// The body consists of standard operators, so every runtime that supports functions can execute it:
//
//   scale = Max(ReduceMax(|x|, last axis) / largest, 2^-126)         token_scale()
//   y     = DequantizeLinear(QuantizeLinear(x / scale, 1), 1) * scale
//
// QuantizeLinear itself has one scale, or one per index of an axis, known in advance in the form
// that runtimes prefer. With scale 1 it rounds and saturates values that were divided before.
#pragma once

#include <optional>
#include <string>

#include "graph/function.h"
#include "graph/site.h"

namespace fp8q {

// Functions that fp8q defines in its files have this domain, with this version.
inline constexpr const char* kFunctionDomain = "fp8q";
inline constexpr int64_t kFunctionVersion = 1;

// Returns the function that rounds to a format, such as "RoundTokens_int8": one input, and one
// output of its shape. It needs opset 18 or newer.
LocalFunction token_rounding(Format format);

struct TokenRounding {
  Quantization quantization;
  std::string input;
};
// Recognizes `value` as the result of such a call, expanded. Returns nullopt for everything else.
std::optional<TokenRounding> find_token_rounding(const GraphIndex& index, const std::string& value,
                                                 const ContentsOf& contents);

}  // namespace fp8q
