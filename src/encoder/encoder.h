// Describes a BERT-family encoder as found in a graph: weights, structure, and every Site.
//
// Recognition uses the structure of the graph, never names. It looks through Q/DQ pairs, which
// become the Quantization of the operand that they surround. BERT, MiniLM, DistilBERT, RoBERTa and
// ELECTRA differ only in details for which this description has fields. Tensors share the payload
// of the model's initializers.
// the model's initializers.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "graph/model.h"
#include "graph/site.h"

namespace fp8q {

enum class Activation { none, gelu_erf, gelu_tanh, relu, tanh };

// Computes y = x W + b. Sites are indices into Encoder::sites.
struct Linear {
  // This is the constant operand as stored in the file: of a float type, or 8-bit codes if it is
  // quantized.
  Tensor weight;
  // If false, the weight is [in, out], as in MatMul. If true, it is [out, in] (Gemm transB = 1).
  bool transposed = false;
  std::optional<Tensor> bias;  // [out], float
  int64_t in = 0;
  int64_t out = 0;
  int input_site = -1;
  int weight_site = -1;  // its Site says how codes decode
  // This is the Site of y before the activation function. It is -1 if y is no Site, or is the Site
  // of an operand.
  int result_site = -1;
};

struct LayerNorm {
  Tensor gamma;  // [hidden], float
  Tensor beta;
  float epsilon = 0;
  int input_site = -1;  // Site of the sum that is normalized
};

// Computes softmax(scale * (query_scale * q) (key_scale * k)^T) v, where q, k, v are the
// projections. The Sites of query and key come after query_scale and key_scale: they see, and
// quantize, the scaled operands. Exporters put 1/sqrt(head size) into any one of the three, or its
// square root into two.
struct Attention {
  int64_t heads = 0;
  int64_t head_size = 0;
  float scale = 1;        // multiplies the product of the two operands
  float query_scale = 1;  // multiplies the query projection (bias included) before its Site
  float key_scale = 1;    // multiplies the key projection before its Site
  // These are the Sites of the four operands of the two products q k^T and p v.
  int query_site = -1;
  int key_site = -1;
  int probabilities_site = -1;
  int value_site = -1;
  int scores_site = -1;  // q k^T as the product gives it, before `scale`
};

// If the Site of an attention's or FFN's input is quantized, the residual sum after it adds either
// the numbers before rounding (`..._residual_rounded` is false) or the rounded numbers.
struct EncoderLayer {
  Linear query, key, value;
  Attention attention;
  Linear attention_output;
  bool attention_residual_rounded = false;
  LayerNorm attention_norm;  // after the residual sum with the layer's input
  Linear intermediate;
  Activation activation = Activation::gelu_erf;
  Linear output;
  bool output_residual_rounded = false;
  LayerNorm output_norm;  // after the residual sum with attention_norm's result
};

// Holds a table of rows looked up by id: float rows, or 8-bit codes with a scale per row.
struct EmbeddingTable {
  Tensor rows;                       // [count, width]
  std::optional<Tensor> row_scales;  // [count], float, if the rows are codes
};

// Says which row of the position table each token of a sequence takes.
struct PositionRule {
  int64_t first = 0;  // row of the first token (RoBERTa: padding id + 1)
  // Tokens with this id are not counted, wherever they are, and take row first - 1. RoBERTa's
  // graphs compute positions this way.
  std::optional<int32_t> padding_id;
};

struct Embeddings {
  EmbeddingTable word;
  EmbeddingTable position;
  // Row 0 is for every token if there is no token type input.
  std::optional<EmbeddingTable> token_type;
  PositionRule position_rule;
  LayerNorm norm;
  // Follows the norm if the table's width is not the hidden size (ELECTRA).
  std::optional<Linear> projection;
};

// Names what a head does to rows. The first three pool: they make one row for each sequence from
// the rows of its tokens. The others change each row by itself.
enum class RowFunction {
  first_token,
  mean,
  max,
  softmax,
  sigmoid,
  normalize,  // divides by the L2 norm
  float16,    // rounds to float16
};

constexpr bool is_pooling(RowFunction function) { return function <= RowFunction::max; }

// Holds what a part of the head reads: the last layer's hidden states or the result of a stage,
// with functions applied one after another.
struct HeadRows {
  static constexpr int kHiddenStates = -1;
  int stage = kHiddenStates;
  std::vector<RowFunction> functions;
  bool applies(RowFunction function) const {
    return std::ranges::find(functions, function) != functions.end();
  }
  friend bool operator==(const HeadRows&, const HeadRows&) = default;
};

// Describes a linear layer after the encoder. BERT has two: pooler (tanh), classifier (none).
struct HeadStage {
  std::string name;  // "pooler", "classifier", ...
  HeadRows input;    // of an earlier stage
  Linear linear;
  Activation activation = Activation::none;
};

struct EncoderOutput {
  std::string name;  // name of the graph output
  HeadRows rows;
  std::optional<int> column;  // the only column that is put out (start and end logits)
};

struct Encoder {
  Embeddings embeddings;
  std::vector<EncoderLayer> layers;
  std::vector<HeadStage> head;
  std::vector<EncoderOutput> outputs;
  std::vector<Site> sites;

  // These are names of graph inputs. A name is empty if the model has no such input.
  std::string ids_input;
  std::string mask_input;
  std::string token_type_input;
  std::string position_input;  // takes 0, 1, 2, ...
  // Tokens with this id are not attended to, because the graph takes them for padding.
  std::optional<int32_t> masked_id;

  int64_t hidden = 0;
  int64_t max_positions = 0;  // longest sequence that the position table allows
};

// Returns whether there is one row for every token; otherwise there is one for every sequence.
bool is_per_token(const Encoder& encoder, const HeadRows& rows);
int64_t width_of(const Encoder& encoder, const HeadRows& rows);

// Tells why a graph is not an encoder: the place where the structure differs, for messages.
struct NotAnEncoder {
  std::string reason;
};

}  // namespace fp8q
