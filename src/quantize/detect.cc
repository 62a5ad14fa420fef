#include "quantize/detect.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/error.h"
#include "graph/graph.h"
#include "quantize/constants.h"
#include "quantize/manifest.h"

namespace fp8q {
namespace {

// Returns whether the operator, of any domain, reads or makes quantized tensors: one of the
// standard, of onnxruntime (com.microsoft) or of TransformerEngine (trt).
bool is_quantization(const Node& node) {
  static constexpr std::array kExact = {"QuantizeLinear",
                                        "DequantizeLinear",
                                        "DynamicQuantizeLinear",
                                        "MatMulInteger",
                                        "ConvInteger",
                                        "MatMulIntegerToFloat",
                                        "DynamicQuantizeMatMul",
                                        "QGemm",
                                        "QAttention",
                                        "QEmbedLayerNormalization",
                                        "QMoE",
                                        "MatMulNBits",
                                        "MatMulFpQ4",
                                        "MatMulBnb4",
                                        "GemmFloat8",
                                        "GatherBlockQuantized",
                                        "DynamicQuantizeLSTM"};
  const std::string_view op = node.op_type;
  return op.starts_with("QLinear") || op.starts_with("TRT_FP8") || op.starts_with("TRT_INT8") ||
         std::ranges::find(kExact, op) != kExact.end();
}

bool is_product(const Node& node) { return is_op(&node, "MatMul") || is_op(&node, "Gemm"); }

// Returns whether the value is an initializer or a Constant that holds a matrix of 8-bit codes.
bool is_stored_codes(const GraphIndex& index, const std::string& value) {
  const Tensor* tensor = index.constant(value);
  return tensor && tensor->rank() >= 2 && tensor->size() > 1 &&
         (tensor->dtype() == DType::u8 || fp8q::format_of(tensor->dtype()));
}

// Walks back from a value through arithmetic and moves to 8-bit codes that the file stores.
struct Decoding {
  const GraphIndex& index;
  const Node* cast = nullptr;  // the Cast that decodes the codes, nearest to them
  bool looked_up = false;      // a Gather picks rows of the codes

  bool leads_to_codes(const std::string& value, int depth = 0) {
    static constexpr std::array kPairs = {"Mul", "Div", "Sub", "Add"};
    static constexpr std::array kMoves = {"Cast",     "Transpose", "Reshape", "Squeeze",
                                          "Identity", "Unsqueeze", "Gather"};
    constexpr int kDeepest = 8;  // five in real files
    if (is_stored_codes(index, value)) return true;
    const Node* node = index.producer(value);
    const auto is_any = [&](const auto& ops) {
      return std::ranges::any_of(ops, [&](auto op) { return is_op(node, op); });
    };
    if (!node || depth == kDeepest || node->inputs.empty()) return false;
    bool found = false;
    if (is_any(kMoves)) found = leads_to_codes(node->inputs[0], depth + 1);
    if (is_any(kPairs))
      found = std::ranges::any_of(
          node->inputs, [&](const auto& input) { return leads_to_codes(input, depth + 1); });
    if (!found) return false;
    if (is_op(node, "Cast") && !cast) cast = node;
    looked_up |= is_op(node, "Gather");
    return true;
  }
};

// Finds weights of products, and tables whose rows are summed, that are stored as 8-bit codes and
// decoded without DequantizeLinear. What else is added may be a mask of bytes.
const Node* find_decoding(const Graph& graph) {
  const GraphIndex index(graph);
  for (const Node& node : graph.nodes) {
    const bool product = is_product(node);
    if (!product && !is_op(&node, "Add")) continue;
    for (const std::string& input : node.inputs) {
      Decoding decoding{index};
      if (decoding.leads_to_codes(input) && decoding.cast && (product || decoding.looked_up))
        return decoding.cast;
    }
  }
  return nullptr;
}

}  // namespace

std::optional<FoundQuantization> find_quantization(const Model& model) {
  if (const auto manifest = read_manifest(model))
    return FoundQuantization{
        fmt::format("was converted by fp8q already ({})", printable(manifest->recipe)),
        manifest->recipe};
  const auto node = std::ranges::find_if(model.graph.nodes, is_quantization);
  if (node != model.graph.nodes.end()) return FoundQuantization{"contains " + describe(*node), ""};
  if (const Node* cast = find_decoding(model.graph))
    return FoundQuantization{
        fmt::format("stores its weights as 8-bit codes, which {} decodes", describe(*cast)), ""};
  return std::nullopt;
}

bool is_quantized(const Model& model) { return find_quantization(model).has_value(); }

std::string format_of(const Model& model) {
  if (const auto manifest = read_manifest(model)) return manifest->recipe;
  if (is_quantized(model)) return "quantized";
  const GraphIndex index(model.graph);
  for (const Node& node : model.graph.nodes) {
    if (!is_product(node)) continue;
    for (const std::string& input : node.inputs) {
      const auto type = constant_type(index, input);
      if (type == DType::f16) return "fp16";
      if (type == DType::bf16) return "bf16";
    }
  }
  return "fp32";
}

}  // namespace fp8q
