// Tests SmoothQuant's factors, what they cost and save, and that they alone change nothing.
#include "quantize/smooth_quant.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "graph/channel_factors.h"
#include "interpreter/interpreter.h"
#include "quantize/plan_smoothing.h"
#include "quantize/rewrite.h"
#include "tests/unit/quantize/small_graphs.h"

namespace fp8q::test {
namespace {

constexpr int64_t kRows = 200, kIn = 48, kOut = 32;

// Makes values in which some channels are much larger than the others, as in BERT.
Tensor values_with_outliers(uint32_t seed = 3) {
  Tensor x = random_tensor({kRows, kIn}, seed);
  for (int64_t r = 0; r < kRows; ++r)
    for (const int64_t channel : {5, 17, 40})
      x.mutable_data<float>()[static_cast<size_t>(r * kIn + channel)] *= 60.0f;
  return x;
}

// Computes x W for kRows rows of x.
Model layer_model(const Tensor& w) {
  ModelBuilder b;
  b.input("x", {kRows, kIn}).output("y", {kRows, kOut}).constant("W", w);
  b.node("MatMul", {"x", "W"}, "y");
  return b.model;
}

SiteStatistics seen(const Tensor& x) {
  SiteStatistics statistics;
  statistics.observe(x.data<float>(), x.dim(-1), 0);
  return statistics;
}

SmoothedWeight int8_weight(const Tensor& w) {
  return {w, 1, Format::int8, Granularity::channel, Observer::absmax};
}

// Returns the mean square over absmax squared of all channels together.
double power_of(const SiteStatistics& statistics) {
  double squares = 0;
  for (const float a : statistics.channel_absmax()) squares += double{a} * a;
  return statistics.sum_of_squares() / kRows / squares;
}

// Holds the source model quantized as INT8, from what x shows, and what it makes of x.
struct Converted {
  Plan plan;
  Model model;
  Tensor y;
};
Converted converted(const Model& source, const Tensor& x, std::optional<SmoothQuant> smooth) {
  const auto sites = with_role(generic_sites(source), SiteRole::intermediate);
  Statistics statistics;
  statistics.sites.push_back({"x", "x", seen(x)});
  Converted c{
      make_plan(source, sites, &statistics, *recipe_named("int8"), {.smooth_quant = smooth}),
      {},
      {}};
  c.model = quantize_model(source, sites, c.plan);
  c.y = Interpreter(c.model).run({{"x", x}}).at("y");
  return c;
}

double squared_error(const Tensor& a, const Tensor& b) {
  double sum = 0;
  for (size_t i = 0; i < a.data<float>().size(); ++i) {
    const double difference = double{a.data<float>()[i]} - double{b.data<float>()[i]};
    sum += difference * difference;
  }
  return sum;
}

TEST(SmoothQuant, IsAutoOrANumber) {
  EXPECT_FALSE(SmoothQuant::parse("auto", "here").alpha);
  EXPECT_EQ(SmoothQuant::parse("0.75", "here").alpha, 0.75);
  for (const char* text : {"auto", "0", "0.5", "1"})
    EXPECT_EQ(SmoothQuant::parse(text, "here").text(), text);
  for (const char* text : {"", "1.5", "-0.1", "nan", "half", "0.5x"}) {
    try {
      SmoothQuant::parse(text, "here");
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::usage) << text;
      EXPECT_EQ(std::string(error.what()).rfind("here: ", 0), 0u) << error.what();
    }
  }
}

TEST(SmoothQuant, FactorsAreEquationFourInPowersOfTwo) {
  const std::vector<float> x = {0.3f, 8.0f, 100.0f, 1e-6f, 5.0f, 0.0f, 7.0f};
  const std::vector<float> w = {0.5f, 0.02f, 3.0f, 0.1f, 4.0f, 1.0f, 0.0f};
  for (const double alpha : {0.0, 0.25, 0.5, 0.8, 1.0}) {
    const auto factors = smoothing_factors(x, w, alpha);
    ASSERT_EQ(factors.size(), x.size());
    EXPECT_TRUE(are_channel_factors(factors));
    std::vector<float> live(factors.begin(), factors.begin() + 5);
    for (size_t j = 0; j < live.size(); ++j) {
      const double s = std::pow(x[j], alpha) / std::pow(w[j], 1 - alpha);
      EXPECT_LE(std::fabs(std::log2(factors[j] * s)), 0.5 + 1e-6) << alpha << ", " << j;
    }
    std::ranges::sort(live);
    EXPECT_EQ(factors[5], live[2]) << "a channel of zeros has the median";
    EXPECT_EQ(factors[6], live[2]);
  }
  EXPECT_TRUE(smoothing_factors({{4.0f, 4.1f}}, {{1.0f, 1.0f}}, 0.5).empty()) << "all the same";
  EXPECT_TRUE(smoothing_factors({{0.0f, 0.0f}}, {{1.0f, 2.0f}}, 0.5).empty()) << "none known";
}

// Takes the rounding out of the converted graph, so that the product reads the smoothed values and
// the divided weight. Multiplying by powers of two is exact, so nothing may differ.
TEST(SmoothQuant, AloneChangesNoBit) {
  const Model source = layer_model(random_tensor({kIn, kOut}, 1, 0.1f));
  const Tensor x = values_with_outliers();
  for (const double alpha : {0.3, 0.5, 1.0}) {
    Converted c = converted(source, x, SmoothQuant{alpha});
    c.model.graph.initializers["W/divided"] =
        planned_weight(GraphIndex(source.graph), plan_of(c.plan, "W"));
    for (Node& node : c.model.graph.nodes)
      if (node.op_type == "MatMul") node.inputs = {"x/smoothed", "W/divided"};
    const Tensor y = Interpreter(c.model).run({{"x", x}}).at("y");
    EXPECT_TRUE(identical(y, Interpreter(source).run({{"x", x}}).at("y"))) << alpha;
    EXPECT_FALSE(identical(y, c.y)) << "rounding was taken out";
    EXPECT_FALSE(
        identical(c.model.graph.initializers.at("W/divided"), source.graph.initializers.at("W")));
  }
}

TEST(SmoothQuant, SearchTakesTheAlphaOfLeastExpectedError) {
  const SiteStatistics statistics = seen(values_with_outliers());
  const std::vector<SmoothedWeight> weights = {int8_weight(random_tensor({kIn, kOut}, 1, 0.1f)),
                                               int8_weight(random_tensor({kIn, kOut}, 2, 0.2f))};
  const ChannelRanges ranges{statistics.channel_absmax(), power_of(statistics)};
  const Smoothing best = smooth({}, ranges, Format::int8, weights);
  const double least = expected_error(ranges, Format::int8, weights, best.factors);
  EXPECT_LT(least, expected_error(ranges, Format::int8, weights, {}) / 4);
  int others = 0;
  for (const double alpha : {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9}) {
    const Smoothing given = smooth({alpha}, ranges, Format::int8, weights);
    EXPECT_EQ(given.alpha, alpha);
    const double error = expected_error(ranges, Format::int8, weights, given.factors);
    EXPECT_GE(error, least) << alpha;
    others += error > least;
    if (alpha == best.alpha) {
      EXPECT_EQ(given.factors, best.factors);
    }
  }
  EXPECT_GE(others, 4) << "alpha makes a difference";
}

TEST(SmoothQuant, SearchLeavesAloneWhatIsEven) {
  const std::vector<float> even(kIn, 1.0f);
  Tensor w(DType::f32, {kIn, kOut});
  for (size_t i = 0; i < w.mutable_data<float>().size(); ++i)
    w.mutable_data<float>()[i] = i % 2 ? 0.5f : -0.5f;
  EXPECT_TRUE(smooth({}, {even, 0.2}, Format::int8, std::vector{int8_weight(w)}).factors.empty());
}

TEST(SmoothQuant, ExpectedErrorIsTheErrorOfTheProduct) {
  const Tensor w = random_tensor({kIn, kOut}, 1, 0.1f), x = values_with_outliers();
  const Model source = layer_model(w);
  const Tensor exact = Interpreter(source).run({{"x", x}}).at("y");
  const SiteStatistics statistics = seen(x);
  const ChannelRanges ranges{statistics.channel_absmax(), power_of(statistics)};
  std::optional<double> least;
  for (const double alpha : {0.1, 0.3, 0.5, 0.7, 0.9}) {
    const Converted c = converted(source, x, SmoothQuant{alpha});
    const double expected =
        kRows * expected_error(ranges, Format::int8, std::vector{int8_weight(w)},
                               plan_of(c.plan, "x").factors);
    const double actual = squared_error(exact, c.y);
    EXPECT_GT(actual, expected / 2) << alpha;
    EXPECT_LT(actual, expected * 2) << alpha;
    least = std::min(actual, least.value_or(actual));
  }
  const double none = squared_error(exact, converted(source, x, std::nullopt).y);
  const double searched = squared_error(exact, converted(source, x, SmoothQuant{}).y);
  EXPECT_LT(searched, none / 4) << "three of 48 channels are 60 times as large";
  EXPECT_LT(searched, 1.5 * *least);
}

TEST(SmoothQuant, OneProductWithFactorsForAllThatReadTheValue) {
  for (const char* recipe : {"int8", "int8-dynamic", "e4m3"}) {
    ModelBuilder b;
    const Tensor x = values_with_outliers();
    b.input("x", x.shape()).output("y", {kRows, kOut}).output("z", {kRows, kOut});
    b.constant("W", random_tensor({kIn, kOut}, 1)).constant("V", random_tensor({kOut, kIn}, 2));
    b.node("MatMul", {"x", "W"}, "y").node("Gemm", {"x", "V"}, "z", {{"transB", int64_t{1}}});
    const auto sites = with_role(generic_sites(b.model), SiteRole::intermediate);
    Statistics statistics;
    statistics.sites.push_back({"x", "x", seen(x)});
    const Plan plan = make_plan(b.model, sites, &statistics, *recipe_named(recipe),
                                {.smooth_quant = SmoothQuant{0.6}});
    EXPECT_EQ(plan.request.label(), std::string(recipe) + "-smooth");
    const SitePlan& input = plan_of(plan, "x");
    EXPECT_EQ(input.alpha, 0.6);
    EXPECT_NE(input.reason.find("smoothed with alpha 0.6"), std::string::npos) << input.reason;
    EXPECT_EQ(plan_of(plan, "V").factors, input.factors);
    EXPECT_EQ(input.absmax, input.per_token() ? 0.0f : smoothed_absmax(seen(x), input.factors));

    const Model model = quantize_model(b.model, sites, plan);
    const auto is_mul = [](const Node& n) {
      return n.op_type == "Mul" && n.outputs[0] == "x/smoothed";
    };
    EXPECT_EQ(std::ranges::count_if(model.graph.nodes, is_mul), 1) << recipe;
    const auto found = generic_sites(model);
    EXPECT_EQ(found[0].value, "x");
    ASSERT_TRUE(found[0].quantization);
    EXPECT_EQ(found[0].quantization->factors, input.factors);
    EXPECT_EQ(found[0].uses.size(), 2u);
  }
}

TEST(SmoothQuant, OtherObserversAndStatisticsWithoutChannels) {
  const Model source = layer_model(random_tensor({kIn, kOut}, 1));
  const auto sites = with_role(generic_sites(source), SiteRole::intermediate);
  Statistics statistics;
  statistics.sites.push_back({"x", "x", seen(values_with_outliers())});
  const PlanOptions options{.smooth_quant = SmoothQuant{0.5}};
  PlanRequest request = recipe_request(*recipe_named("int8"), sites, options);
  request.sites[0].observer = Observer::mse;
  EXPECT_TRUE(plan_of(make_plan(source, sites, &statistics, request), "x").factors.empty());

  const Statistics other = statistics_for(sites);  // rows of no width
  for (const Statistics* given : {&other, static_cast<const Statistics*>(nullptr)}) {
    try {
      make_plan(source, sites, given, *recipe_named("int8-dynamic"), options);
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::bad_data);
      EXPECT_NE(std::string(error.what()).find("calibrate"), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace fp8q::test
