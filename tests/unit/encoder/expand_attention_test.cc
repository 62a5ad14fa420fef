// Tests that attention written out computes what the operator does, and which nodes are left alone.
#include "encoder/expand_attention.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "encoder/widen.h"
#include "interpreter/interpreter.h"
#include "unit/encoder/graph_builder.h"

namespace fp8q::test {
namespace {

using Attributes = GraphBuilder::Attributes;

struct Case {
  bool flat = false;  // heads side by side
  DType mask = DType::f32;
  Attributes attributes;
  int64_t key_heads = 2;
  DType type = DType::f32;
};

size_t count(const Model& model, std::string_view op) {
  return static_cast<size_t>(
      std::ranges::count_if(model.graph.nodes, [&](const Node& n) { return n.op_type == op; }));
}

// Makes queries of 3 tokens on 5 keys, 2 sequences, 2 heads of 4 with values of 3.
Model attention_model(const Case& c) {
  GraphBuilder g(23);
  const auto tensor = [&](int64_t heads, int64_t rows, int64_t width) {
    const Shape shape = c.flat ? Shape{2, rows, heads * width} : Shape{2, heads, rows, width};
    return g.op("Identity", {g.constant(g.random_tensor(shape, 2).to(c.type))});
  };
  const Tensor bias = g.random_tensor({2, 1, 3, 5}, 1);
  Tensor kept(DType::boolean, {2, 1, 3, 5});
  for (size_t i = 0; i < 30; ++i) kept.mutable_data<bool>()[i] = i % 4 != 1;
  const std::string mask = g.constant(c.mask == DType::boolean ? kept : bias.to(c.type));
  Attributes attributes = c.attributes;
  if (c.flat) attributes.insert({{"q_num_heads", int64_t{2}}, {"kv_num_heads", c.key_heads}});
  Model model = g.finish({g.op(
      "Attention", {tensor(2, 3, 4), tensor(c.key_heads, 5, 4), tensor(c.key_heads, 5, 3), mask},
      attributes)});
  model.graph.outputs[0].dtype = c.type;
  return model;
}

TEST(ExpandAttention, ComputesTheSame) {
  for (const bool flat : {false, true})
    for (const DType mask : {DType::f32, DType::boolean})
      for (const DType type : {DType::f32, DType::f16})
        for (const Attributes& attributes : {Attributes{}, Attributes{{"scale", 0.7f}},
                                             Attributes{{"softmax_precision", int64_t{1}}}}) {
          const Model model = attention_model({flat, mask, attributes, 2, type});
          Model expanded = model;
          expand_attention(expanded);
          EXPECT_EQ(count(expanded, "Attention"), 0u);
          EXPECT_EQ(count(expanded, "MatMul"), 2u);
          const Tensor expected = Interpreter(model).run({}).begin()->second;
          const Tensor actual = Interpreter(expanded).run({}).begin()->second;
          ASSERT_EQ(actual.shape(), expected.shape());
          ASSERT_EQ(actual.dtype(), type);
          const Tensor a = actual.to(DType::f32), b = expected.to(DType::f32);
          for (size_t i = 0; i < a.data<float>().size(); ++i)
            EXPECT_NEAR(a.data<float>()[i], b.data<float>()[i], type == DType::f32 ? 1e-6 : 1e-2);
        }
}

TEST(ExpandAttention, LeavesWhatEncodersDoNotHave) {
  for (const bool flat : {false, true})
    for (const Case& c : {Case{.flat = flat, .attributes = {{"is_causal", int64_t{1}}}},
                          Case{.flat = flat, .attributes = {{"softcap", 2.0f}}},
                          Case{.flat = flat, .attributes = {}, .key_heads = 1}}) {
      Model model = attention_model(c);
      expand_attention(model);
      EXPECT_EQ(count(model, "Attention"), 1u);
      EXPECT_NO_THROW(Interpreter(model).run({}));
    }
}

TEST(Widen, NamesOfValuesStay) {
  const Model model = attention_model({.attributes = {}, .type = DType::f16});
  EXPECT_TRUE(has_half_precision(model));
  const WideModel wide = widened(model);
  ASSERT_EQ(wide.model.graph.nodes.size(), wide.casts + model.graph.nodes.size());
  for (size_t n = 0; n < model.graph.nodes.size(); ++n) {
    EXPECT_EQ(wide.model.graph.nodes[wide.casts + n].inputs, model.graph.nodes[n].inputs);
    EXPECT_EQ(wide.model.graph.nodes[wide.casts + n].outputs, model.graph.nodes[n].outputs);
  }
  const Tensor narrow = Interpreter(model).run({}).begin()->second;
  const Tensor result = Interpreter(wide.model).run({}).begin()->second;
  ASSERT_EQ(result.dtype(), DType::f32);
  for (size_t i = 0; i < result.data<float>().size(); ++i)
    EXPECT_NEAR(result.data<float>()[i], narrow.to(DType::f32).data<float>()[i], 2e-3);
}

}  // namespace
}  // namespace fp8q::test
