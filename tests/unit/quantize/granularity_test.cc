// Tests which weights share a scale: the ranges of every granularity, and what DequantizeLinear
// makes of them.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "interpreter/interpreter.h"
#include "quantize/rewrite.h"
#include "quantize/weights.h"
#include "tests/unit/quantize/small_graphs.h"

namespace fp8q::test {
namespace {

struct Case {
  const char* text;
  Shape scale_shape;  // for a weight of 10 input and 6 output channels, MatMul's [10, 6]
};

const Case kCases[] = {{"tensor", {}},     {"channel", {6}},    {"groups3", {6}},
                       {"block4", {3, 6}}, {"block16", {1, 6}}, {"tile4", {3, 6}},
                       {"tile2", {5, 6}},  {"groups1", {6}}};

// Returns the index of the element at (input, output) in either layout.
size_t at(bool transposed, size_t in, size_t out) {
  return transposed ? out * 10 + in : in * 6 + out;
}

// Returns the absmax of the values that share a scale with (input, output), from the definition.
float shared_absmax(const Tensor& w, bool transposed, const Granularity& g, size_t in, size_t out) {
  using Kind = Granularity::Kind;
  const auto size = static_cast<size_t>(g.size);
  float absmax = 0;
  for (size_t i = 0; i < 10; ++i)
    for (size_t o = 0; o < 6; ++o) {
      const bool same_block = size != 0 && i / size == in / size;
      const bool shared = g.kind == Kind::tensor    ? true
                          : g.kind == Kind::channel ? o == out
                          : g.kind == Kind::groups  ? o / (6 / size) == out / (6 / size)
                          : g.kind == Kind::block   ? o == out && same_block
                                                    : o / size == out / size && same_block;
      if (shared) absmax = std::max(absmax, std::fabs(w.data<float>()[at(transposed, i, o)]));
    }
  return absmax;
}

class EveryGranularity : public testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(Granularities, EveryGranularity, testing::ValuesIn(kCases),
                         [](const auto& test) { return std::string(test.param.text); });

TEST_P(EveryGranularity, ScalesFollowFromWhatSharesThem) {
  const Granularity g = Granularity::parse(GetParam().text).value();
  EXPECT_EQ(g.text(), GetParam().text);
  for (const bool transposed : {false, true}) {
    const Tensor w = random_tensor(transposed ? Shape{6, 10} : Shape{10, 6}, 3);
    const int64_t channels = transposed ? 0 : 1;
    const WeightScales scales =
        observed_scales(w, Format::int8, g, channels, Observer::absmax, "w");
    Shape expected = GetParam().scale_shape;
    if (transposed && expected.size() == 2) std::swap(expected[0], expected[1]);
    EXPECT_EQ(scales.axis.scale_shape(w.shape()), expected);
    const Tensor back = dequantized(quantized(w, Format::int8, scales.axis, scales.scales),
                                    Format::int8, scales.axis, scales.scales);
    for (size_t i = 0; i < 10; ++i)
      for (size_t o = 0; o < 6; ++o) {
        const float x = w.data<float>()[at(transposed, i, o)];
        const float scale = scale_for(Format::int8, shared_absmax(w, transposed, g, i, o));
        EXPECT_EQ(back.data<float>()[at(transposed, i, o)],
                  decode(Format::int8, encode(Format::int8, x, scale)) * scale)
            << i << ", " << o;
      }
  }
}

// Multiplies x [4, 10] by W as MatMul, and as Gemm with the transposed weight.
Model product_model(const Tensor& w, bool transposed) {
  ModelBuilder b;
  b.input("x", {4, 10}).output("y", {4, 6}).constant("W", w);
  if (transposed) b.node("Gemm", {"x", "W"}, "y", {{"transB", int64_t{1}}});
  else b.node("MatMul", {"x", "W"}, "y");
  return b.model;
}

TEST_P(EveryGranularity, TheGraphComputesIt) {
  for (const bool transposed : {false, true})
    for (const FormatInfo& format : all_formats()) {
      const Tensor w = random_tensor(transposed ? Shape{6, 10} : Shape{10, 6}, 5);
      const Model source = product_model(w, transposed);
      const auto sites = with_role(generic_sites(source), SiteRole::intermediate);
      const Statistics statistics = statistics_for(sites, 4.0f);
      PlanRequest request = recipe_request(default_recipe(), sites);
      for (SiteRequest& site : request.sites) site.format = format.id;
      request.sites[1].granularity = Granularity::parse(GetParam().text).value();
      const Plan plan = make_plan(source, sites, &statistics, request);
      const Tensor x = random_tensor({4, 10}, 7);
      const Tensor y = Interpreter(quantize_model(source, sites, plan)).run({{"x", x}}).at("y");

      const SitePlan& weight = plan_of(plan, "W");
      Model fake = source;
      fake.graph.initializers["W"] =
          dequantized(quantized(w, format.id, weight.axis, weight.scales), format.id, weight.axis,
                      weight.scales);
      const auto& scale = plan_of(plan, "x").scales;
      const Tensor rounded = dequantized(quantized(x, format.id, {}, scale), format.id, {}, scale);
      const Tensor expected = Interpreter(fake).run({{"x", rounded}}).at("y");
      EXPECT_TRUE(identical(y, expected)) << format.name << (transposed ? " Gemm" : " MatMul");
    }
}

TEST(Granularity, FinerScalesKeepMore) {
  Tensor w = random_tensor({64, 64}, 1);
  for (size_t i = 0; i < 64; ++i) w.mutable_data<float>()[i * 64 + i % 7] *= 30.0f;
  const auto sqnr = [&](const char* text) {
    const auto s = observed_scales(w, Format::int8, Granularity::parse(text).value(), 1,
                                   Observer::absmax, "w");
    return sqnr_db(w, dequantized(quantized(w, Format::int8, s.axis, s.scales), Format::int8,
                                  s.axis, s.scales));
  };
  EXPECT_GT(sqnr("channel"), sqnr("groups8"));
  EXPECT_GT(sqnr("groups8"), sqnr("tensor"));
  EXPECT_GT(sqnr("block16"), sqnr("channel"));
  EXPECT_GT(sqnr("block16"), sqnr("tile16"));
}

TEST(Granularity, TextsAndErrors) {
  for (const char* wrong :
       {"", "row", "tensor2", "block", "block0", "block-4", "tile1.5", "block32x"})
    EXPECT_FALSE(Granularity::parse(wrong)) << wrong;
  const Tensor w = random_tensor({10, 6}, 1);
  const auto refused = [&](const char* text, std::optional<int64_t> axis, ErrorCode code) {
    try {
      observed_scales(w, Format::int8, Granularity::parse(text).value(), axis, Observer::absmax,
                      "layer.0/weight");
      ADD_FAILURE() << text;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), code);
      EXPECT_NE(std::string(error.what()).find("layer.0/weight"), std::string::npos);
    }
  };
  refused("groups4", 1, ErrorCode::usage);
  refused("block4", std::nullopt, ErrorCode::unsupported);
}

// Runtimes may flush subnormal scales to zero, and then divide by them.
TEST(Scales, AreNormalNumbersOfTheirType) {
  constexpr float kLargest = std::numeric_limits<float>::max();
  for (const float size : {0.0f, 1e-45f, 1e-40f, 1e-37f, 1e-7f, 1.0f, 6e4f, 1e30f, kLargest})
    for (const DType type : {DType::f32, DType::f16, DType::bf16})
      for (const FormatInfo& format : all_formats())
        for (const Case& c : kCases) {
          Tensor w = random_tensor({10, 6}, 3);
          for (float& x : w.mutable_data<float>()) x = std::clamp(x / 4, -1.0f, 1.0f) * size;
          const WeightScales found =
              observed_scales(w, format.id, *Granularity::parse(c.text), 1, Observer::absmax, "w");
          std::vector<float> scales;
          const float least = type == DType::f16 ? 0x1p-14f : std::numeric_limits<float>::min();
          for (const float scale : found.scales) {
            scales.push_back(storable_scale(scale, type));
            EXPECT_GE(scales.back(), least);
            EXPECT_EQ(Tensor::scalar(scales.back()).to(type).to(DType::f32).data<float>()[0],
                      scales.back());
          }
          if (type == DType::f16 && size > 6e4f) continue;  // beyond the type's own range
          const Tensor back = dequantized(quantized(w, format.id, found.axis, scales), format.id,
                                          found.axis, scales);
          // A code is off by half a step: a share of 2^-3 at most, or a step at zero.
          const double step = double{format.step} * double{std::ranges::max(scales)};
          for (size_t i = 0; i < 60; ++i) {
            const double x = w.data<float>()[i], y = back.data<float>()[i];
            EXPECT_LE(std::fabs(y - x), std::fabs(x) / 8 + (size == 0 ? 0 : step))
                << format.name << " " << c.text << " " << size;
          }
        }
}

}  // namespace
}  // namespace fp8q::test
