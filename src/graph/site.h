// Sites: the places where a model can be quantized. Calibration, plans, telemetry and reports all
// speak of them.
//
// Most are operands of matrix products, which every recipe quantizes. In a recognized encoder there
// are others, which only a naive recipe does: results of linear layers, scores, and the sums that
// enter LayerNorms. Such a Site is a value; quantized, all that read it read it rounded.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "graph/graph.h"
#include "numeric/format.h"

namespace fp8q {

enum class SiteKind { activation, weight };

// What a Site feeds, or where it arises. Recipes choose by role.
enum class SiteRole {
  // Operands of products.
  attention_input,   // x of the query, key and value products
  query,             // q of q k^T
  key,               // k of q k^T, as it enters the product (transposed)
  probabilities,     // p of p v
  value,             // v of p v
  attention_output,  // input of the attention's output product
  intermediate,      // input of FFN-1
  ffn_output,        // input of FFN-2
  head,              // pooler, classifier
  other,             // a product outside a recognized encoder, or the embedding projection
  // Values that enter no product.
  embeddings_sum,       // enters the LayerNorm of the embeddings
  scores,               // q k^T, before scale and mask
  attention_result,     // of the attention's output product, bias included
  attention_residual,   // its sum with the layer's input: enters the first LayerNorm
  intermediate_result,  // of FFN-1, before the activation function
  ffn_result,           // of FFN-2
  ffn_residual,         // its sum with the FFN's input: enters the second LayerNorm
  head_result,          // of the pooler, before its activation function, and of the classifier
};

// Whether Sites of this role are operands of products.
constexpr bool is_operand(SiteRole role) { return role <= SiteRole::other; }
// Whether the last dimension is one of channels; else of tokens, different for each sequence.
constexpr bool has_channels(SiteRole role) {
  return role != SiteRole::probabilities && role != SiteRole::scores;
}

// How a tensor is quantized: x = decode(code) * scale, symmetric.
struct Quantization {
  Format format = Format::e4m3;
  Tensor scale;  // float; a scalar; or [channels] along `axis`; or, with `block`, the
                 // tensor's dimensions with that of `axis` divided by it
  std::optional<int64_t> axis;  // of the tensor as it enters the product; nullopt: one scale
  int64_t block = 0;            // elements along `axis` that share a scale; weights only
  // Each row (token) has a scale of its own, token_scale() of its absmax, found at run time;
  // `scale` is a scalar that says nothing.
  bool per_token = false;
  // Inputs of linear layers: what is quantized is the value times these factors of its channels
  // (channel_factors.h); the weights that read it stand for their numbers divided by them. Empty:
  // none.
  std::vector<float> factors;
};

struct Site {
  std::string path;   // readable: "layer.3/ffn.output/input", "layer.3/ffn.output/weight"
  std::string value;  // ONNX name of the float tensor, before any Q/DQ (weights: the constant as
                      // the product sees it)
  SiteKind kind = SiteKind::activation;
  SiteRole role = SiteRole::other;
  int layer = -1;  // -1 outside layers
  // Operands: input slots of the products it feeds. Others: every slot that reads the value; none
  // where it is a graph output only.
  std::vector<Use> uses;
  // Of the input of an attention or FFN: the slot of the residual sum that adds the same numbers
  // (which may have their own name there). A recipe that quantizes residual sums quantizes them
  // there too.
  std::optional<Use> residual;
  std::optional<int64_t> channel_axis;       // weights: axis of the output channels of the constant
  std::optional<Quantization> quantization;  // as found in the graph
};

// The contents of a value where they are known, else nullptr.
using ContentsOf = std::function<const Tensor*(const std::string& value)>;

// What a DequantizeLinear says of codes with the given type and rank, or, as text, why it is no
// Quantization: asymmetric, a type that is no Format.
std::variant<Quantization, std::string> read_dequantize(const Node& dequantize, DType codes,
                                                        int64_t rank, const ContentsOf& contents);

// The same for a DequantizeLinear that reads a QuantizeLinear: both must agree, and have one scale.
std::variant<Quantization, std::string> read_pair(const Node& quantize, const Node& dequantize,
                                                  const ContentsOf& contents);

bool same(const Quantization& a, const Quantization& b);

// The Sites of a graph that is not a recognized encoder: the operands of every MatMul and Gemm.
// Operands that come from a Softmax have the role `probabilities`, all others `other`. One
// activation that several products read is one Site; a weight is a Site of each product.
std::vector<Site> generic_sites(const Model& model);

}  // namespace fp8q
