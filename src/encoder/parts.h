// The parts of an encoder and the matcher of each: what it found, and where the walk goes on.
//
// Every find_... walks backwards from a value. It returns nullopt where the value is made by
// something else, and throws Mismatch where the graph is beyond doubt the part, but in a form that
// an Encoder cannot express.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "encoder/encoder.h"
#include "encoder/match.h"

namespace fp8q::match {

// One input slot of a product.
struct Operand {
  Use use;
  std::string value;   // float value at the slot, before its Q/DQ pair if there is one
  std::string source;  // where the walk goes on, rows in their order
  std::optional<Quantization> quantization;
};

// The Q/DQ pair whose result is `value`: its quantization, and what it quantizes.
struct Pair {
  Quantization quantization;
  std::string input;
};
std::optional<Pair> find_pair(const View& view, const std::string& value);
// The same with a scale per row, found at run time: for inputs of linear layers.
std::optional<Pair> find_token_rounding(const View& view, const std::string& value);
// What enters a linear layer: either of the two, behind factors of its channels or not.
std::optional<Pair> find_rounded_input(const View& view, const std::string& value);

// A value that enters no product, and its quantization where what reads it reads it rounded.
struct Point {
  std::string value;    // float, before its Q/DQ pair if there is one
  std::string reading;  // what its readers read: `value`, or the pair's result
  std::optional<Quantization> quantization;
};
Point point_at(const View& view, const std::string& reading);

// A constant as it stands in the file, behind Cast, Transpose and DequantizeLinear.
struct ConstantOperand {
  Tensor tensor;
  bool transposed = false;                   // the reader sees the transpose of `tensor`
  std::optional<Quantization> quantization;  // axis as the reader sees it
};
std::optional<ConstantOperand> find_constant(const View& view, const std::string& value);

// x W + b over the last dimension.
struct LinearPart {
  Linear linear;
  Operand input, weight;
  Point result;
  size_t node = 0;  // the product
};
std::optional<LinearPart> find_linear(const View& view, const std::string& value);
// The same where the result may be quantized.
std::optional<LinearPart> find_rounded_linear(const View& view, const std::string& value);

struct NormPart {
  LayerNorm norm;
  Point input;
};
std::optional<NormPart> find_layer_norm(const View& view, const std::string& value);

// An elementwise function of a linear layer's result.
struct ActivationPart {
  Activation activation = Activation::none;
  LinearPart linear;
};
std::optional<ActivationPart> find_activation(const View& view, const std::string& value);

// softmax(scores) v with its projections; `input` is the value all three projections read.
struct AttentionPart {
  Attention attention;
  LinearPart query, key, value;
  Operand query_operand, key_operand, probabilities, value_operand;
  Operand context;            // of the output product, its Q/DQ pair found wherever it stands
  Point scores;               // q k^T
  std::string softmax_input;  // after scale and mask
  std::string input;
};
// `context` is the operand of the output product.
AttentionPart match_attention(const View& view, const Operand& context);

// f(x), f ending in a linear layer, plus x, and the LayerNorm of the sum.
struct ResidualPart {
  LinearPart linear;
  Use other;           // the slot that reads x
  std::string source;  // x, rows in their order, before its Q/DQ pair if there is one
  std::optional<Quantization> quantization;  // of x there
  NormPart norm;
};

struct LayerPart {
  AttentionPart attention;
  ResidualPart attention_residual;
  ActivationPart intermediate;
  ResidualPart output_residual;
  std::string input;  // of the layer
};
// nullopt where `value` is no layer's result: the walk has reached the embeddings.
std::optional<LayerPart> find_layer(const View& view, const std::string& value);

// Roles of the graph inputs; empty where there is none.
struct InputRoles {
  std::string ids, mask, token_type, position;
};

struct EmbeddingsPart {
  Embeddings embeddings;
  Point sum;  // of the table rows
  std::optional<LinearPart> projection;
  InputRoles inputs;  // without the mask
};
EmbeddingsPart match_embeddings(const View& view, const std::string& value);

// Values for every graph input: the given id for every token, ones for the mask, zeros else, and
// positions from 0.
Tensors model_inputs(const View& view, size_t probe, const InputRoles& roles, int64_t id);

// Runs everything between q k^T and the softmax: with all tokens attended it must be a
// multiplication, whose factor is returned. Masks are allowed, causal ones and position biases are
// not. Sets roles.mask.
float match_scores(const View& view, const AttentionPart& attention, InputRoles& roles);

struct HeadPart {
  HeadKind kind = HeadKind::none;
  std::vector<ActivationPart> stages;
  std::vector<EncoderOutput> outputs;
  std::string hidden;  // the last layer's result
};
HeadPart match_head(const View& view);

}  // namespace fp8q::match
