// Compares two models side by side: a float one and its converted form.
#include "study/site_comparison.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "quantize/rewrite.h"
#include "study/plan_maker.h"
#include "tests/unit/study/tiny_model.h"

namespace fp8q::test {
namespace {

using testing::HasSubstr;

struct Pair {
  TinyModel tiny;
  Model converted;
  Encoder encoder;  // of it

  explicit Pair(const char* recipe = "int8") {
    PlanMaker maker({tiny.model, tiny.encoder.sites, &tiny.encoder, &tiny.statistics});
    converted = quantize_model(tiny.model, tiny.encoder.sites,
                               maker.plan(maker.request(*recipe_named(recipe), {}, {})));
    encoder = recognized_encoder(converted);
  }
  ComparedModel a() const { return {"a.onnx", tiny.model, tiny.encoder.sites}; }
  ComparedModel b() const { return {"b.onnx", converted, encoder.sites}; }
};

TEST(SiteComparison, AModelIsItself) {
  const TinyModel tiny;
  SiteComparison comparison({"a", tiny.model, tiny.encoder.sites},
                            {"b", tiny.model, tiny.encoder.sites});
  comparison.compare_weights();
  OutputErrors outputs(nullptr);
  const auto one = make_cpu_engine(tiny.encoder, ComputeType::automatic),
             other = make_cpu_engine(tiny.encoder, ComputeType::automatic);
  comparison.compare_batch(*one, *other, tiny_words(), outputs);
  ASSERT_EQ(comparison.size(), tiny.encoder.sites.size());
  for (size_t p = 0; p < comparison.size(); ++p) {
    const SiteError& e = comparison.error(p);
    EXPECT_EQ(comparison.site_a(p).path, comparison.site_b(p).path);
    EXPECT_EQ(e.error.noise, 0) << comparison.site_a(p).path;
    EXPECT_GT(e.error.values, 0u) << comparison.site_a(p).path;
  }
  EXPECT_EQ(outputs.outputs().at(0).numbers.largest, 0);
}

TEST(SiteComparison, TellsTheErrorOfEverySite) {
  const Pair pair;
  SiteComparison comparison(pair.a(), pair.b());
  comparison.compare_weights();
  OutputErrors outputs(nullptr);
  const auto a = make_cpu_engine(pair.tiny.encoder, ComputeType::automatic),
             b = make_cpu_engine(pair.encoder, ComputeType::automatic);
  comparison.compare_batch(*a, *b, tiny_words(), outputs);
  comparison.take_counts(b->rounding());
  size_t quantized = 0;
  for (size_t p = 0; p < comparison.size(); ++p) {
    const Site& site = comparison.site_b(p);
    const SiteError& e = comparison.error(p);
    if (!site.quantization) continue;
    ++quantized;
    const double nmse = e.error.nmse();
    EXPECT_GT(nmse, 0) << site.path;
    EXPECT_LT(nmse, 0.01) << site.path;
    if (site.kind == SiteKind::weight) {
      EXPECT_EQ(e.rounding.values, 0u) << site.path;
      continue;
    }
    EXPECT_EQ(e.rounding.values, e.error.values) << site.path;
    EXPECT_GT(e.rounding.noise, 0) << site.path;
    EXPECT_LT(static_cast<double>(e.underflowed), 0.5 * static_cast<double>(e.error.values));
  }
  EXPECT_GT(quantized, 20u);
  EXPECT_GT(outputs.outputs().at(0).numbers.largest, 0);
}

TEST(SiteComparison, OtherSitesAreNamed) {
  const TinyModel tiny;
  std::vector<Site> fewer = tiny.encoder.sites, renamed = tiny.encoder.sites;
  const std::string last = fewer.back().path;
  fewer.pop_back();
  renamed.front().path = "elsewhere";
  const ComparedModel whole{"a.onnx", tiny.model, tiny.encoder.sites};
  const auto problem = [](const ComparedModel& a, const ComparedModel& b) -> std::string {
    try {
      const SiteComparison comparison(a, b);
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::unsupported);
      return e.what();
    }
    return "";
  };
  EXPECT_THAT(problem(whole, {"b.onnx", tiny.model, fewer}),
              HasSubstr("a.onnx has the Site " + last + ", b.onnx has not"));
  EXPECT_THAT(problem({"b.onnx", tiny.model, fewer}, whole),
              HasSubstr("a.onnx has the Site " + last + ", b.onnx has not"));
  EXPECT_THAT(problem(whole, {"b.onnx", tiny.model, renamed}), HasSubstr("a.onnx has the Site "));
}

TEST(PlanMaker, RangesFollowFromWeightsWhereNoneWereSeen) {
  const TinyModel tiny;
  PlanOptions unit;
  unit.observer = ObserverChoice{Observer::unit, 0};
  PlanMaker maker({tiny.model, tiny.encoder.sites, &tiny.encoder, nullptr});
  const Plan plan = maker.plan(maker.request(*recipe_named("e4m3"), {}, unit));
  size_t planned = 0;
  for (const SitePlan& site : plan.sites)
    if (site.quantized() && site.kind == SiteKind::activation) {
      EXPECT_GT(site.absmax, 0) << site.path;
      ++planned;
    }
  EXPECT_GT(planned, 0u);
  PlanMaker graph({tiny.model, tiny.encoder.sites, nullptr, nullptr});
  EXPECT_THROW(graph.plan(graph.request(*recipe_named("e4m3"), {}, unit)), Error);
  const PlanRequest other = maker.request(*recipe_named("e4m3"), Format::int8, {});
  EXPECT_TRUE(std::ranges::any_of(
      other.sites, [](const SiteRequest& site) { return site.format == Format::int8; }));
  EXPECT_FALSE(std::ranges::any_of(
      other.sites, [](const SiteRequest& site) { return site.format == Format::e4m3; }));
}

}  // namespace
}  // namespace fp8q::test
