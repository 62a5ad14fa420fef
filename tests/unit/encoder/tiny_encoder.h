// Makes a tiny random encoder, written in the manner of one exporter or another.
#pragma once

#include <string>

#include "graph/model.h"
#include "numeric/format.h"

namespace fp8q::test {

enum class NormStyle { pow, self_product, fused, folded };  // folded: x * a + b, as Keras exports
enum class GeluStyle {
  half_last,      // (x * (1 + erf(x / sqrt 2))) * 0.5
  half_first,     // (x * 0.5) * (1 + erf(x * 0.7071))
  half_middle,    // x * (0.5 * (1 + erf(x / sqrt 2)))
  fused,          // Gelu
  fused_tanh,     // Gelu, approximate
  tanh_pow,       // 0.5 x (1 + tanh(0.7979 (x + 0.044715 x^3))), Pow
  tanh_products,  // the same, x * x * x
  relu,
  quick,         // x sigmoid(1.702 x): not known
  relu6,         // Clip(x, 0, 6): not known
  relu6_min,     // Min(Relu(x), 6): not known
  clipped,       // Clip(GELU, -10, 10): not known
  clipped_wide,  // Clip(GELU, -1000, 1000): not known
};
enum class ScaleStyle {
  divide_scores,
  multiply_scores,
  divide_query,
  split_by_shape,  // q s and k s, s = sqrt(1 / sqrt(d)) computed from Shape(q)
  after_mask,      // (q k^T + mask) / sqrt d
  clipped,         // Clip(q k^T / sqrt d, -10, 10): not known
};
enum class MaskStyle {
  none,
  additive,       // + (1 - mask) * lowest
  where_scores,   // Where(Expand(mask == 0), lowest, scores)
  gathered,       // a boolean mask by GatherND, Where(0, lowest)
  from_ids,       // ids != padding
  causal,         // not an encoder
  position_bias,  // not an encoder
  local,          // a window of 8: not an encoder
};
enum class EmbeddingStyle {
  bert,
  position_range,  // positions by Range(0, S)
  position_input,  // a graph input
  position_slice,  // rows of the table by Slice
  roberta,         // CumSum(ids != padding), one token type
  distilbert,      // no token types
  electra,         // a projection behind the norm
  constant_types,  // token types looked up by Expanded zeros
  constant_row,    // the row of token type 0 added as a constant
};
enum class TableStyle { f32, f16, row_scales, one_scale };
enum class LinearStyle {
  matmul,
  bias_first,
  gemm,
  transposed_constant,
  no_bias,
  f16_weights,
  cast_codes,           // INT8 behind Cast and Mul, a scale per output channel
  cast_unsigned_codes,  // the same, unsigned with zero point 128
  cast_affine_codes,    // zero point 100, one scale: computed as float
};
enum class AttentionStyle {
  written_out,
  op_heads_apart,  // Attention on [batch, heads, sequence, head size], the mask as MaskStyle says
  op_heads_aside,  // Attention on [batch, sequence, hidden], a boolean mask, a scale of its own
};
enum class HeadStyle {
  bert,
  bert_slice,      // first token by Slice and Squeeze, MatMul and Add
  pre_classifier,  // ReLU
  electra,         // GELU
  direct,
  qa_split,
  qa_gather,
  tokens,
  hidden,
  hidden_and_pooled,
  softmax,
  sigmoid,
  cast,  // logits as float16
  token_softmax,
  first_token,      // without a linear layer
  mean,             // of all tokens, then a classifier
  embedding,        // mean with the mask, divided by the L2 norm; also the tokens
  maximum,          // largest, with the mask by Where
  dense_embedding,  // mean with the mask, a linear layer with tanh, normalized by squares
  everything,       // hidden states, pooler, logits of two heads
  sum,              // of tokens: not known
  temperature,      // softmax of half the logits: not known
  softmaxes,        // 100 of them, one after another: not known
};
enum class QuantStyle {
  none,
  standard,  // at the slots of the products
  key_before_transpose,
  tokens,           // inputs of linear layers with a scale per token, attention in float
  smoothed,         // inputs of linear layers behind factors of their channels
  smoothed_tokens,  // both
  zero_point,       // not known
  residual,         // the residual sum reads x in other codes than the products: not known
  unequal,          // Q and DQ with different scales: not known
};

struct Style {
  int64_t opset = 14;
  int64_t layers = 2, hidden = 32, heads = 4, ffn = 48, vocabulary = 60, positions = 90, types = 2;
  int64_t labels = 3;
  NormStyle norm = NormStyle::pow;
  GeluStyle gelu = GeluStyle::half_last;
  ScaleStyle scale = ScaleStyle::divide_scores;
  MaskStyle mask = MaskStyle::additive;
  EmbeddingStyle embedding = EmbeddingStyle::bert;
  TableStyle table = TableStyle::f32;
  LinearStyle linear = LinearStyle::matmul;
  AttentionStyle attention = AttentionStyle::written_out;
  DType type = DType::f32;  // or f16 or bf16, in which the whole graph then computes
  HeadStyle head = HeadStyle::bert;
  QuantStyle quantization = QuantStyle::none;
  Format format = Format::e4m3;
  bool merged_heads = false;   // scores as [batch * heads, S, S]
  bool softmax_guard = false;  // Where(IsNaN(p), 0, p)
  bool dropout = false;        // Dropout and Identity nodes here and there
  bool pre_norm = false;       // not known
  bool extra_node = false;     // a Sigmoid between layers: not known
  bool fixed_shape = false;    // batch 1, sequence 12
  int64_t doublings = 0;       // Add(x, x) before the norm of the embeddings: not known
  int64_t constant_rows = 0;   // rows added there one by one: not known
};

Model tiny_encoder(const Style& style);

}  // namespace fp8q::test
