// Sites are the places where a model can be quantized. Calibration, plans, telemetry and reports
// all refer to Sites.
//
// Most Sites are operands of matrix products, which every recipe quantizes. A recognized encoder
// has other Sites, which only a naive recipe quantizes: results of linear layers, scores, and the
// sums that enter LayerNorms. Such a Site is a value. If it is quantized, all its readers read the
// rounded value.
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

// Names the product that a Site feeds, or the place where it arises. Recipes choose by role.
enum class SiteRole {
  // Roles of operands of products.
  attention_input,   // x of the query, key and value products
  query,             // q of q k^T
  key,               // k of q k^T, as it enters the product (transposed)
  probabilities,     // p of p v
  value,             // v of p v
  attention_output,  // input of the attention's output product
  intermediate,      // input of FFN-1
  ffn_output,        // input of FFN-2
  head,              // pooler, classifier; also of a graph that is no recognized encoder
  other,             // a product outside a recognized encoder, or the embedding projection
  // Roles of values that enter no product.
  embeddings_sum,       // enters the LayerNorm of the embeddings
  scores,               // q k^T, before scale and mask
  attention_result,     // result of the attention's output product, bias included
  attention_residual,   // sum of that result and the layer's input: enters the first LayerNorm
  intermediate_result,  // result of FFN-1, before the activation function
  ffn_result,           // result of FFN-2
  ffn_residual,         // sum of that result and the FFN's input: enters the second LayerNorm
  head_result,          // result of the pooler, before its activation, and of the classifier
};

// Returns whether Sites of this role are operands of products.
constexpr bool is_operand(SiteRole role) { return role <= SiteRole::other; }
// Returns whether the last dimension holds channels. Otherwise it holds tokens, whose number
// differs between sequences.
constexpr bool has_channels(SiteRole role) {
  return role != SiteRole::probabilities && role != SiteRole::scores;
}

// Says how a tensor is quantized: x = decode(code) * scale, symmetric.
struct Quantization {
  Format format = Format::e4m3;
  // The scale is a float tensor: a scalar, or [channels] along `axis`. With `block` it has the
  // tensor's dimensions, with the dimension of `axis` divided by `block`.
  Tensor scale;
  std::optional<int64_t> axis;  // axis in the tensor as it enters the product; nullopt: one scale
  int64_t block = 0;            // elements along `axis` that share a scale; weights only
  // If true, each row (token) has its own scale, the token_scale() of its absmax, found at run
  // time. `scale` is then a scalar without meaning.
  bool per_token = false;
  // Inputs of linear layers may have factors: the value is multiplied by these factors of its
  // channels (channel_factors.h) and then quantized. The weights that read it are stored divided by
  // the factors. The list is empty if there are no factors.
  std::vector<float> factors;
};

struct Site {
  std::string path;  // readable: "layer.3/ffn.output/input", "layer.3/ffn.output/weight"
  // This is the ONNX name of the float tensor, before any Q/DQ. For weights it is the constant as
  // the product sees it.
  std::string value;
  DType dtype = DType::f32;  // of that tensor: f32, or 16 bits, which Q/DQ then read and make
  SiteKind kind = SiteKind::activation;
  SiteRole role = SiteRole::other;
  int layer = -1;  // -1 outside layers
  // For operands these are the input slots of the products that the Site feeds. For other Sites
  // they are all slots that read the value, and the list is empty if the value is only a graph
  // output.
  std::vector<Use> uses;
  // For the input of an attention or FFN, this is the slot of the residual sum that adds the same
  // numbers, possibly under another name. A recipe that quantizes residual sums quantizes the
  // numbers there too.
  std::optional<Use> residual;
  // For weights, this is the axis of the output channels of the constant.
  std::optional<int64_t> channel_axis;
  std::optional<Quantization> quantization;  // as found in the graph
};

// Returns the contents of a value if they are known, otherwise nullptr.
using ContentsOf = std::function<const Tensor*(const std::string& value)>;

// Returns the Quantization that a DequantizeLinear expresses for codes with the given type and
// rank. If it expresses none (asymmetric, a type that is not a Format), returns the reason as text.
std::variant<Quantization, std::string> read_dequantize(const Node& dequantize, DType codes,
                                                        int64_t rank, const ContentsOf& contents);

// Does the same for a DequantizeLinear that reads a QuantizeLinear: both must agree and have one
// scale.
std::variant<Quantization, std::string> read_pair(const Node& quantize, const Node& dequantize,
                                                  const ContentsOf& contents);

bool same(const Quantization& a, const Quantization& b);

// Returns the Sites of a graph that is not a recognized encoder: the operands of every MatMul and
// Gemm, except products of two constants. Operands that come from a Softmax have the role
// `probabilities`, those that only products of the head read (head_products.h) have `head`, all
// others `other`. An activation that several products read is one Site; a weight is a separate Site
// for each product.
std::vector<Site> generic_sites(const Model& model);

}  // namespace fp8q
