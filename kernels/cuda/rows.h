// Row-wise kernels do the work between the matrix products of an encoder. They are fused so that
// each value crosses device memory once.
//
// All functions launch on `stream` and return at once; a failed launch shows in cudaGetLastError.
// LayerNorm's statistics are FP32 over values in registers, in two passes (mean, then the variance
// of the centered values).
#pragma once

#include "kernels/cuda/tensors.h"

namespace fp8q::cuda {

inline constexpr int64_t kMostNormColumns = 1024;
// The limit applies to a transform() whose rows have scales of their own.
inline constexpr int64_t kMostTokenColumns = 8192;

// Says where a row-wise kernel puts its result y: any of the three. The row scales it writes may be
// the ones it reads with its sums.
struct RowResults {
  uint16_t* hidden = nullptr;  // y rounded to BF16: the residual stream
  Operand operand;             // y as the next product reads it
  float* values = nullptr;     // y itself, for observers and outputs
};

struct Norm {
  const float* gamma = nullptr;
  const float* beta = nullptr;
  float epsilon = 0;
};

// Computes y[t] = norm(word[id] + token_type[type] + position[offset + index in its sequence]).
struct Embed {
  const int32_t* ids;        // [tokens]
  const int32_t* type_ids;   // [tokens]; nullptr: type 0
  const int32_t* positions;  // [tokens], rows of the position table
  const float* word;         // [vocabulary, columns]
  const float* position;
  const float* token_type;  // nullptr: none
  Norm norm;
  int64_t tokens, columns;  // columns: a multiple of 8, at most kMostNormColumns
  RowResults out;
};
void embed(const Embed& args, Stream stream) noexcept;

// Computes y = norm(sums + residual).
struct AddNorm {
  Sums sums;
  const uint16_t* residual;  // BF16; may be out.hidden
  Norm norm;
  int64_t tokens, columns;  // as for Embed
  RowResults out;
};
void add_norm(const AddNorm& args, Stream stream) noexcept;

// Computes y = f(sums) * factor.
struct Transform {
  Sums sums;
  int64_t sum_stride = 0;  // elements from row to row; 0: columns
  Function function = Function::none;
  float factor = 1;
  int64_t tokens, columns;  // columns: a multiple of 8
  RowResults out;
};
void transform(const Transform& args, Stream stream) noexcept;

// Computes y[r] = f(sum over k of round(x[row r])[k] * weight[n][k] * scale[n] + bias[n]), in FP32.
// If a row has a scale of its own, the sum is also multiplied by it. This is for the few rows of a
// head. Rows of x are the first tokens of sequences (if `offsets` is given) or all rows (nullptr).
struct Dense {
  const float* x = nullptr;          // [.., in]
  const int32_t* offsets = nullptr;  // [rows] first tokens
  Rounding rounding;                 // rounding of x: by format, else none (its type is not used)
  const float* weight = nullptr;     // [out, in]; a quantized layer has the values of its codes
  const float* scale = nullptr;      // [out]; nullptr: none
  const float* bias = nullptr;       // [out]; nullptr: none
  Function function = Function::none;
  int64_t rows, in, out;
  float* y = nullptr;  // [rows, out]
};
void dense(const Dense& args, Stream stream) noexcept;

}  // namespace fp8q::cuda
