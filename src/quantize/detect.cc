#include "quantize/detect.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/error.h"
#include "graph/graph.h"
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

}  // namespace

std::optional<FoundQuantization> find_quantization(const Model& model) {
  if (const auto manifest = read_manifest(model))
    return FoundQuantization{
        fmt::format("was converted by fp8q already ({})", printable(manifest->recipe)),
        manifest->recipe};
  const auto node = std::ranges::find_if(model.graph.nodes, is_quantization);
  if (node == model.graph.nodes.end()) return std::nullopt;
  return FoundQuantization{"is quantized already: it contains " + describe(*node), ""};
}

bool is_quantized(const Model& model) { return find_quantization(model).has_value(); }

std::string format_of(const Model& model) {
  if (const auto manifest = read_manifest(model)) return manifest->recipe;
  return is_quantized(model) ? "quantized" : "fp32";
}

}  // namespace fp8q
