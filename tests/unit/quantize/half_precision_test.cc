// Tests that models in 16 bits stay so: types, scales and results of the rewritten graph.
#include <gtest/gtest.h>

#include <cmath>

#include "encoder/widen.h"
#include "interpreter/abstract.h"
#include "interpreter/interpreter.h"
#include "quantize/detect.h"
#include "quantize/rewrite.h"
#include "tests/unit/quantize/small_graphs.h"

namespace fp8q::test {
namespace {

struct Rewritten {
  Model source, model;
  Plan plan;
};

// Makes y = table[ids] W, with all floats in 16 bits.
Rewritten rewritten(DType type, const Recipe& recipe, const PlanOptions& options = {}) {
  ModelBuilder b;
  b.input("ids", {4}, DType::i64).output("y", {4, 5});
  b.model.graph.outputs[0].dtype = type;
  Tensor table = random_tensor({9, 6}, 2);
  table.mutable_data<float>()[7] = 40;  // smoothing has something to do
  b.constant("table", table.to(type)).constant("W", random_tensor({6, 5}, 1).to(type));
  b.node("Gather", {"table", "ids"}, "x").node("MatMul", {"x", "W"}, "y");
  auto sites = with_role(generic_sites(b.model), SiteRole::intermediate);
  find_types(b.model, sites);
  Statistics statistics;
  statistics.sites.push_back({"x", "x", {}});
  const Tensor values = table.to(type).to(DType::f32);
  statistics.sites[0].statistics.observe(values.data<float>(), 6, 0);
  const Plan plan = make_plan(b.model, sites, &statistics, recipe, options);
  return {b.model, quantize_model(b.model, sites, plan), plan};
}

double error_of(const Rewritten& r) {
  const Tensor ids = Tensor::of<int64_t>({4}, {0, 1, 5, 8});
  const Tensor a = Interpreter(r.source).run({{"ids", ids}}).at("y").to(DType::f32);
  const Tensor b = Interpreter(r.model).run({{"ids", ids}}).at("y").to(DType::f32);
  double signal = 0, noise = 0;
  for (size_t i = 0; i < a.data<float>().size(); ++i) {
    signal += std::pow(a.data<float>()[i], 2);
    noise += std::pow(a.data<float>()[i] - b.data<float>()[i], 2);
  }
  return std::sqrt(noise / signal);
}

void expect_types(const Rewritten& r, DType type) {
  const AbstractValues values = evaluate_abstractly(r.model, {{"ids", {4}}});
  EXPECT_EQ(values.at("y").dtype, type);
  const Node& product = r.model.graph.nodes.back();
  ASSERT_EQ(product.op_type, "MatMul");
  for (const auto& input : product.inputs) EXPECT_EQ(values.at(input).dtype, type) << input;
}

class HalfPrecision : public testing::TestWithParam<DType> {};
INSTANTIATE_TEST_SUITE_P(Types, HalfPrecision, testing::Values(DType::f16, DType::bf16),
                         [](const auto& type) { return std::string(name(type.param)); });

TEST_P(HalfPrecision, EveryRecipeKeepsTheType) {
  for (const Recipe& recipe : recipes_by_channel()) {
    const Rewritten r = rewritten(GetParam(), recipe);
    expect_types(r, GetParam());
    EXPECT_LT(error_of(r), recipe.name == "e5m2" ? 0.15 : 0.08) << recipe.name;
    if (!is_dynamic(recipe)) {
      for (const char* scale : {"x/scale", "W/scale"})
        EXPECT_EQ(r.model.graph.initializers.at(scale).dtype(), GetParam()) << recipe.name;
    }
  }
}

TEST_P(HalfPrecision, SmoothedValuesAreRoundedAsFp32) {
  for (const char* name : {"int8", "int8-dynamic"}) {
    const Rewritten r =
        rewritten(GetParam(), *recipe_named(name), {.smooth_quant = SmoothQuant{0.5}});
    ASSERT_FALSE(r.plan.sites[0].factors.empty());
    expect_types(r, GetParam());
    EXPECT_LT(error_of(r), 0.08);
  }
}

TEST_P(HalfPrecision, RowsOfTablesAreDecodedToTheType) {
  EXPECT_EQ(rewritten(GetParam(), default_recipe()).plan.tables[0].storage,
            TableStorage::unchanged);
  const Rewritten r = rewritten(GetParam(), default_recipe(), {.quantize_embeddings = true});
  EXPECT_EQ(r.plan.tables[0].storage, TableStorage::quantized_rows);
  EXPECT_EQ(r.model.graph.initializers.at("table/scale").dtype(), GetParam());
  expect_types(r, GetParam());
  EXPECT_LT(error_of(r), 0.08);
}

}  // namespace
}  // namespace fp8q::test
