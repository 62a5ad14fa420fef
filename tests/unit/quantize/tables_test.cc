// Tests embedding tables: float16 behind a Cast, rows in 8 bits, and the cases that stay as they
// are.
#include "quantize/tables.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "quantize/rewrite.h"
#include "quantize/weights.h"
#include "tests/unit/quantize/small_graphs.h"

namespace fp8q::test {
namespace {

Model lookup_model(Tensor table) {
  ModelBuilder b;
  b.input("ids", {2, 3}, DType::i64).output("e", {2, 3, 4}).output("f", {2, 3, 4});
  if (table.dtype() == DType::f32) {
    b.constant("T", std::move(table));
  } else {
    b.constant("stored", std::move(table)).node("Cast", {"stored"}, "T", {{"to", int64_t{1}}});
  }
  b.node("Gather", {"T", "ids"}, "e").node("Gather", {"T", "ids"}, "f", {{"axis", int64_t{0}}});
  return b.model;
}

Model convert_table(const Model& model, const PlanOptions& options = {}) {
  return quantize_model(model, {}, make_plan(model, {}, nullptr, default_recipe(), options));
}

void expect_float16_lookup(const Model& out, const std::string& table, const std::string& result) {
  const Node* cast = find_node(out, result);
  ASSERT_TRUE(cast);
  EXPECT_EQ(cast->op_type, "Cast");
  EXPECT_EQ(int_attribute(*cast, "to", 0), 1);
  const Node* gather = find_node(out, cast->inputs[0]);
  ASSERT_TRUE(gather);
  EXPECT_EQ(gather->op_type, "Gather");
  EXPECT_EQ(gather->inputs, (std::vector<std::string>{table, "ids"}));
  EXPECT_EQ(out.graph.initializers.at(table).dtype(), DType::f16);
}

TEST(Tables, Float32BecomesFloat16) {
  const Tensor table = random_tensor({9, 4}, 1);
  const Model out = convert_table(lookup_model(table));
  expect_float16_lookup(out, "T/float16", "e");
  expect_float16_lookup(out, "T/float16", "f");
  EXPECT_TRUE(identical(out.graph.initializers.at("T/float16"), table.to(DType::f16)));
  EXPECT_EQ(out.graph.initializers.size(), 1u);
}

TEST(Tables, StoredFloat16IsWidenedAfterTheLookup) {
  const Model out = convert_table(lookup_model(random_tensor({9, 4}, 1).to(DType::f16)));
  expect_float16_lookup(out, "stored", "e");
  EXPECT_EQ(out.graph.initializers.size(), 1u);
  EXPECT_EQ(out.graph.nodes.size(), 4u) << "the Cast of the whole table is gone";
}

TEST(Tables, BeyondFloat16StaysFloat) {
  Tensor table = random_tensor({9, 4}, 1);
  table.mutable_data<float>()[5] = 65520.0f;
  const Model source = lookup_model(table);
  const Plan plan = make_plan(source, {}, nullptr, default_recipe(), {});
  ASSERT_EQ(plan.tables.size(), 1u);
  EXPECT_EQ(plan.tables[0].storage, TableStorage::unchanged);
  EXPECT_NE(plan.tables[0].reason.find("65504"), std::string::npos);
  EXPECT_EQ(quantize_model(source, {}, plan).graph.nodes.size(), 2u);
}

TEST(Tables, QuantizedRows) {
  Tensor table = random_tensor({9, 4}, 1);
  for (size_t i = 12; i < 16; ++i) table.mutable_data<float>()[i] = 0;
  const Model source = lookup_model(table);
  const Plan plan = make_plan(source, {}, nullptr, default_recipe(), {.quantize_embeddings = true});
  EXPECT_EQ(plan.tables[0].zero_rows, 1);
  EXPECT_GT(*plan.tables[0].sqnr_db, 35.0);
  const Model out = quantize_model(source, {}, plan);
  const Tensor& codes = out.graph.initializers.at("T/quantized");
  const Tensor& scales = out.graph.initializers.at("T/scale");
  EXPECT_EQ(codes.dtype(), DType::i8);
  EXPECT_EQ(scales.shape(), Shape{9});
  for (size_t i = 0; i < 36; ++i)
    EXPECT_EQ(static_cast<uint8_t>(codes.bytes()[i]),
              encode(Format::int8, table.data<float>()[i], scales.data<float>()[i / 4]));
  const Node& mul = *find_node(out, "e");
  EXPECT_EQ(mul.op_type, "Mul");
  EXPECT_EQ(find_node(out, mul.inputs[0])->op_type, "Cast");
  EXPECT_EQ(find_node(out, mul.inputs[1])->op_type, "Unsqueeze");
  EXPECT_FALSE(out.graph.initializers.contains("T"));
  Model sorted = out;
  EXPECT_NO_THROW(sort_topologically(sorted.graph));
}

TEST(Tables, ReadByOthersStaysFloat) {
  Model source = lookup_model(random_tensor({9, 4}, 1));
  Node add = source.graph.nodes[0];
  add.op_type = "Relu";
  add.inputs = {"T"};
  add.outputs = {"g"};
  source.graph.nodes.push_back(add);
  source.graph.outputs.push_back({.name = "g", .shape = {}});
  const Plan plan = make_plan(source, {}, nullptr, default_recipe(), {});
  EXPECT_EQ(plan.tables[0].storage, TableStorage::unchanged);
  EXPECT_NE(plan.tables[0].reason.find("Relu"), std::string::npos);
}

TEST(Tables, OtherGathersAreNotTables) {
  ModelBuilder b;
  b.input("ids", {2}, DType::i64).input("x", {3, 4}).output("a", {2, 4}).output("b", {3, 2});
  b.constant("T", random_tensor({3, 4}, 1)).constant("one", random_tensor({1, 4}, 1));
  b.node("Gather", {"x", "ids"}, "a").node("Gather", {"T", "ids"}, "b", {{"axis", int64_t{1}}});
  b.node("Gather", {"one", "ids"}, "c").output("c", {2, 4});
  EXPECT_TRUE(make_plan(b.model, {}, nullptr, default_recipe(), {}).tables.empty());
}

TEST(Tables, NanIsAnError) {
  Tensor table = random_tensor({9, 4}, 1);
  table.mutable_data<float>()[3] = std::nanf("");
  EXPECT_THROW(convert_table(lookup_model(table)), Error);
}

}  // namespace
}  // namespace fp8q::test
