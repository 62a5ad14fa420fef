// Defines the parts of an encoder and their matchers: what each matcher found, and where the walk
// continues.
//
// Every find_... function walks backwards from a value. It returns nullopt if something else makes
// the value. It throws Mismatch if the graph certainly is this part, but in a form that an Encoder
// cannot express.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "encoder/encoder.h"
#include "encoder/match.h"

namespace fp8q::match {

// Describes one input slot of a product.
struct Operand {
  Use use;
  std::string value;   // the float value at the slot, before its Q/DQ pair if there is one
  std::string source;  // where the walk continues, with the rows in their order
  std::optional<Quantization> quantization;
};

// Describes the Q/DQ pair whose result is `value`: its quantization, and the value that it
// quantizes.
struct Pair {
  Quantization quantization;
  std::string input;
};
std::optional<Pair> find_pair(const View& view, const std::string& value);
// Finds a rounding with a scale per row, found at run time, for inputs of linear layers.
std::optional<Pair> find_token_rounding(const View& view, const std::string& value);
// Finds the rounding of a linear layer's input: either kind, with factors of the channels or
// without.
std::optional<Pair> find_rounded_input(const View& view, const std::string& value);

// Describes a value that enters no product, and its quantization if its readers read it rounded.
struct Point {
  std::string value;    // the float value, before its Q/DQ pair if there is one
  std::string reading;  // the value that its readers read: `value`, or the pair's result
  std::optional<Quantization> quantization;
};
Point point_at(const View& view, const std::string& reading);

// Holds a constant as stored in the file, before Cast, Transpose and what decodes 8-bit codes.
struct ConstantOperand {
  Tensor tensor;
  bool transposed = false;                   // the reader sees the transpose of `tensor`
  std::optional<Quantization> quantization;  // its axis is the one that the reader sees
};
// Codes are decoded by DequantizeLinear, or by a Cast and a Mul with one scale or with one for each
// index of `channel_axis`, the axis that the reader sees. Codes of other forms count as float.
std::optional<ConstantOperand> find_constant(const View& view, const std::string& value,
                                             int64_t channel_axis);

// Computes x W + b over the last dimension.
struct LinearPart {
  Linear linear;
  Operand input, weight;
  Point result;
  size_t node = 0;  // the product
};
std::optional<LinearPart> find_linear(const View& view, const std::string& value);
// Finds a linear layer whose result may be quantized.
std::optional<LinearPart> find_rounded_linear(const View& view, const std::string& value);

struct NormPart {
  LayerNorm norm;
  Point input;
};
std::optional<NormPart> find_layer_norm(const View& view, const std::string& value);

// Describes an elementwise function of a linear layer's result.
struct ActivationPart {
  Activation activation = Activation::none;
  LinearPart linear;
};
std::optional<ActivationPart> find_activation(const View& view, const std::string& value);

// Computes softmax(scores) v with its projections. `input` is the value that all three projections
// read.
struct AttentionPart {
  Attention attention;
  LinearPart query, key, value;
  Operand query_operand, key_operand, probabilities, value_operand;
  Operand context;            // input of the output product; its Q/DQ pair may be anywhere
  Point scores;               // q k^T
  std::string softmax_input;  // the scores after scale and mask
  std::string input;
};
// `context` is the operand of the output product.
AttentionPart match_attention(const View& view, const Operand& context);

// Describes the sum of f(x), which ends in a linear layer, and x, with the LayerNorm of the sum.
struct ResidualPart {
  LinearPart linear;
  Use other;           // the slot that reads x
  std::string source;  // x, with rows in their order, before its Q/DQ pair if there is one
  std::optional<Quantization> quantization;  // quantization of x at that slot
  NormPart norm;
};

struct LayerPart {
  AttentionPart attention;
  ResidualPart attention_residual;
  ActivationPart intermediate;
  ResidualPart output_residual;
  std::string input;  // input of the layer
};
// Returns nullopt if `value` is not a layer's result: the walk has reached the embeddings.
std::optional<LayerPart> find_layer(const View& view, const std::string& value);

// Names the graph inputs by their roles. A name is empty if there is no such input.
struct InputRoles {
  std::string ids, mask, token_type, position;
};

struct EmbeddingsPart {
  Embeddings embeddings;
  Point sum;  // sum of the table rows
  std::optional<LinearPart> projection;
  InputRoles inputs;  // the mask only if positions depend on it
};
EmbeddingsPart match_embeddings(const View& view, const std::string& value);

// Notes that pieces of the graph were tried with ones for this input, which must be the mask.
void note_mask(const std::string& input, InputRoles& roles);

// Describes the ids of a trial sequence: two usual ones in turn and, at every third token, one that
// the graph may treat in its own way.
struct TrialIds {
  int64_t usual = 0;  // usual + 2 is the other
  std::optional<int64_t> special;
  int64_t at(size_t token) const;
};
// Makes values for every graph input: the given ids for every sequence, zeros for token types,
// positions from 0, and otherwise ones.
Tensors model_inputs(const View& view, size_t probe, const InputRoles& roles, const TrialIds& ids);
// Returns the ids that tell how a piece depends on them. If it reads the ids, those are special
// that it could compare them with: the integers among its constants, and their neighbors.
std::vector<TrialIds> ids_to_try(const View& view, size_t probe, const Cone& piece,
                                 const InputRoles& roles);

// Says what is done to the scores.
struct ScoresPart {
  float scale = 1;
  std::optional<int32_t> masked_id;  // tokens with this id are not attended to
};
// Runs everything between q k^T and the softmax. With all tokens attended to, it must be a
// multiplication. Masks are allowed, also of one token id; causal masks and position biases are
// not. Sets roles.mask.
ScoresPart match_scores(const View& view, const AttentionPart& attention, InputRoles& roles);

// Holds the values that depend on a matrix product or a LayerNorm, as a mask does not.
class DeepValues {
 public:
  explicit DeepValues(const View& view);
  bool contains(const std::string& value) const { return values_.contains(value); }

 private:
  std::set<std::string> values_;
};

// Describes what makes the rows of a value from those of another. If there is neither a function
// nor a column, the rows are the same.
struct RowStep {
  std::string input;
  std::optional<RowFunction> function;
  std::optional<int> column;    // the only column of `input` that is left
  std::set<std::string> masks;  // graph inputs that must be ones
};
std::optional<RowStep> find_row_step(const View& view, const DeepValues& deep,
                                     const std::string& value);

struct HeadStagePart {
  ActivationPart linear;
  HeadRows input;
};

struct HeadPart {
  std::vector<HeadStagePart> stages;
  std::vector<EncoderOutput> outputs;
  std::string hidden;           // the last layer's result
  std::set<std::string> masks;  // graph inputs that mask tokens when they are pooled
};
HeadPart match_head(const View& view);

}  // namespace fp8q::match
