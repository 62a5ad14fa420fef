// Compares what the rewritten graph computes with fake quantization written out: every operand is
// replaced by decode(encode(x / s)) * s, and products are summed in double.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

#include "interpreter/interpreter.h"
#include "numeric/token_scale.h"
#include "quantize/rewrite.h"
#include "quantize/weights.h"
#include "tests/unit/quantize/small_graphs.h"

namespace fp8q::test {
namespace {

std::vector<float> fake_quantized(const Tensor& x, Format format, float scale) {
  std::vector<float> out;
  for (const float v : x.data<float>())
    out.push_back(decode(format, encode(format, v, scale)) * scale);
  return out;
}

// Returns x of a linear layer as the recipe sees it. The range of its Site is `absmax`.
std::vector<float> input_of(const Recipe& recipe, const Tensor& x, float absmax) {
  if (!is_dynamic(recipe))
    return fake_quantized(x, recipe.activations, scale_for(recipe.activations, absmax));
  std::vector<float> out;
  const auto values = x.data<float>();
  const auto columns = static_cast<size_t>(x.dim(-1));
  for (size_t at = 0; at < values.size(); at += columns) {
    const Tensor row = Tensor::of<float>(
        {x.dim(-1)}, std::vector<float>(values.begin() + static_cast<ptrdiff_t>(at),
                                        values.begin() + static_cast<ptrdiff_t>(at + columns)));
    float largest = 0;
    for (const float v : row.data<float>()) largest = std::max(largest, std::fabs(v));
    for (const float v :
         fake_quantized(row, recipe.activations, token_scale(recipe.activations, largest)))
      out.push_back(v);
  }
  return out;
}

class ExecutionOfEveryRecipe : public testing::TestWithParam<Recipe> {};
INSTANTIATE_TEST_SUITE_P(Recipes, ExecutionOfEveryRecipe, testing::ValuesIn(recipes_by_channel()),
                         [](const auto& recipe) { return test_name(recipe.param); });

TEST_P(ExecutionOfEveryRecipe, LinearLayerIsLiteralFakeQuantization) {
  const Recipe& recipe = GetParam();
  const Tensor w = random_tensor({6, 5}, 1);
  const Tensor x = random_tensor({4, 6}, 9);
  const Model source = linear_model(w);
  const auto sites = with_role(generic_sites(source), SiteRole::intermediate);
  const Statistics statistics = statistics_for(sites, 2.0f);  // some of x saturates
  const Plan plan = make_plan(source, sites, &statistics, recipe, {});
  const Model model = quantize_model(source, sites, plan);
  const Tensor y = Interpreter(model).run({{"x", x}}).at("y");

  const auto a = input_of(recipe, x, 2.0f);
  const auto& scales = plan_of(plan, "W").scales;
  const Tensor b = dequantized(quantized(w, recipe.weights, 1, scales), recipe.weights, 1, scales);
  const Tensor& bias = source.graph.initializers.at("b");
  for (size_t r = 0; r < 4; ++r)
    for (size_t c = 0; c < 5; ++c) {
      double sum = 0;
      for (size_t k = 0; k < 6; ++k)
        sum += static_cast<double>(a[r * 6 + k]) * static_cast<double>(b.data<float>()[k * 5 + c]);
      const float expected = static_cast<float>(sum) + bias.data<float>()[c];
      EXPECT_FLOAT_EQ(y.data<float>()[r * 5 + c], expected) << r << ", " << c;
    }
}

TEST_P(ExecutionOfEveryRecipe, AttentionStaysNearTheFloatModel) {
  if (is_dynamic(GetParam())) return;  // leaves attention alone
  const Model source = attention_model();
  const auto sites = attention_sites(source);
  const Statistics statistics = statistics_for(sites, 4.0f);
  const Model model =
      quantize_model(source, sites, make_plan(source, sites, &statistics, GetParam(), {}));
  const std::map<std::string, Tensor> inputs = {{"q", random_tensor({2, 3, 4}, 1)},
                                                {"k", random_tensor({2, 3, 4}, 2)},
                                                {"v", random_tensor({2, 3, 4}, 3)}};
  const Tensor y = Interpreter(model).run(inputs).at("y");
  const Tensor reference = Interpreter(source).run(inputs).at("y");
  EXPECT_GT(sqnr_db(reference, y), 12.0);
  EXPECT_LT(sqnr_db(reference, y), 60.0) << "was anything quantized?";
}

TEST(Execution, TablesGiveTheirRoundedRows) {
  const Tensor table = random_tensor({9, 4}, 1);
  ModelBuilder b;
  b.input("ids", {2, 2}, DType::i64).output("e", {2, 2, 4}).constant("T", table);
  b.node("Gather", {"T", "ids"}, "e");
  const std::map<std::string, Tensor> ids = {{"ids", Tensor::of<int64_t>({2, 2}, {8, 0, 3, 3})}};
  for (const bool rows : {false, true}) {
    const Plan plan =
        make_plan(b.model, {}, nullptr, default_recipe(), {.quantize_embeddings = rows});
    const Model model = quantize_model(b.model, {}, plan);
    const Tensor stored =
        rows ? dequantized(quantized(table, Format::int8, 0, plan.tables[0].scales), Format::int8,
                           0, plan.tables[0].scales)
             : table.to(DType::f16).to(DType::f32);
    const Tensor e = Interpreter(model).run(ids).at("e");
    ASSERT_EQ(e.shape(), (Shape{2, 2, 4}));
    for (size_t i = 0; i < 16; ++i) {
      const size_t row = std::array{8, 0, 3, 3}[i / 4];
      EXPECT_EQ(e.data<float>()[i], stored.data<float>()[row * 4 + i % 4]);
    }
  }
}

}  // namespace
}  // namespace fp8q::test
