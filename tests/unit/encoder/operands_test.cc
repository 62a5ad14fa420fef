// Whatever is taken from a node of an encoder or added to it, everything that looks at the graph
// ends in a result or in an Error. (Run under sanitizers, this also finds reads past operands.)
#include <gtest/gtest.h>

#include "encoder/recognize.h"
#include "fp8q/error.h"
#include "graph/graph.h"
#include "graph/site.h"
#include "interpreter/interpreter.h"
#include "onnx/upgrade.h"
#include "tests/support/errors.h"
#include "unit/encoder/variants.h"

namespace fp8q::test {
namespace {

struct Counts {
  size_t refused = 0;
  size_t accepted = 0;
};

// Looks at the model as opening and converting one does.
void look_at(Model model, Counts& counts) {
  const auto [code, message] = raised_by([&] {
    sort_topologically(model.graph);
    recognize_encoder(model);
    generic_sites(model);
    upgrade_opset(model);
    recognize_encoder(model);
    const Interpreter interpreter(model);
  });
  EXPECT_NE(code, ErrorCode::internal) << message;
  ++(code == ErrorCode{} ? counts.accepted : counts.refused);
}

// Calls f(change) for every change of operands: change(node) makes it.
template <typename F>
void for_each_operand_change(const Node& node, F&& f) {
  f([](Node& n) { n.inputs.clear(); });
  f([](Node& n) { n.outputs.clear(); });
  f([](Node& n) { n.inputs.push_back(n.inputs.empty() ? "" : n.inputs[0]); });
  f([](Node& n) { n.outputs.push_back(n.outputs[0] + "/more"); });
  f([](Node& n) { n.outputs[0] = ""; });
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    f([i](Node& n) { n.inputs[i] = ""; });
    f([i](Node& n) { n.inputs.resize(i); });
  }
}

template <typename F>
void for_each_attribute_change(const Node& node, F&& f) {
  const std::vector<Attribute> values = {int64_t{7}, 7.0f, std::string("x"),
                                         std::vector<int64_t>{7, 7, 7}};
  for (const auto& [name, value] : node.attributes) {
    f([&name = name](Node& n) { n.attributes.erase(name); });
    for (const Attribute& other : values)
      f([&, name = name](Node& n) { n.attributes[name] = other; });
  }
}

// Writes parts of the graph in ways that together have most operators of encoders.
std::vector<Style> styles() {
  Style plain;
  plain.layers = 1;
  plain.linear = LinearStyle::gemm;
  Style fused = plain;
  fused.opset = 21;
  fused.norm = NormStyle::fused;
  fused.gelu = GeluStyle::fused;
  fused.linear = LinearStyle::matmul;
  fused.mask = MaskStyle::where_scores;
  fused.embedding = EmbeddingStyle::roberta;
  fused.quantization = QuantStyle::standard;
  fused.head = HeadStyle::qa_split;
  fused.softmax_guard = true;
  Style other = plain;
  other.linear = LinearStyle::matmul;
  other.norm = NormStyle::self_product;
  other.table = TableStyle::row_scales;
  other.scale = ScaleStyle::split_by_shape;
  other.embedding = EmbeddingStyle::position_slice;
  other.quantization = QuantStyle::smoothed_tokens;
  other.head = HeadStyle::bert_slice;
  other.dropout = true;
  other.opset = 19;
  return {plain, fused, other};
}

TEST(Operands, ChangedNodesEndInAResultOrAnError) {
  Counts counts;
  for (const Style& style : styles()) {
    const Model model = tiny_encoder(style);
    recognized(model);
    for (size_t n = 0; n < model.graph.nodes.size(); ++n) {
      const auto look = [&](const auto& change) {
        Model changed = model;
        change(changed.graph.nodes[n]);
        SCOPED_TRACE(describe(model.graph.nodes[n]));
        look_at(std::move(changed), counts);
      };
      for_each_operand_change(model.graph.nodes[n], look);
      for_each_attribute_change(model.graph.nodes[n], look);
    }
  }
  EXPECT_GT(counts.refused, 1000u);
  EXPECT_GT(counts.accepted, 100u);
}

}  // namespace
}  // namespace fp8q::test
