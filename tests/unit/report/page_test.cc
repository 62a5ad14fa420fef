#include "report/page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "calibrate/statistics.h"
#include "tests/support/errors.h"
#include "tests/support/paths.h"
#include "tests/unit/report/markup.h"

namespace fp8q::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kEval = R"({"schema": "fp8q/eval/1", "version": "1", "command": "eval",
  "model": {"path": "m/model.e4m3.onnx", "sha256": "aa", "bytes": 3000000}, "task": "sst2",
  "split": "dev", "examples": 872, "data": {"sha256": "cc"},
  "format": "e4m3", "metrics": {"accuracy": 0.88}, "score": 88.0, "ci95": [86.0, 90.0],
  "examples_per_s": 100.0,
  "baseline": {"model": {"path": "m/model.onnx", "sha256": "bb", "bytes": 9000000},
    "format": "fp32", "metrics": {"accuracy": 0.89}, "score": 89.0, "ci95": [87.0, 91.0],
    "examples_per_s": 50.0},
  "difference": {"score": -1.0, "ci95": [-2.0, 0.5], "p_value": 0.2, "test": "t", "flips": 7}})";

constexpr const char* kConvert = R"({"schema": "fp8q/convert/1", "command": "convert",
  "model": {"path": "m/model.onnx", "sha256": "bb", "bytes": 9000000},
  "output": {"path": "m/model.e4m3.onnx", "sha256": "aa", "bytes": 3000000},
  "source_bytes": 9000000, "recipe": "e4m3", "sites": [
  {"path": "layer.0/ffn.intermediate/input", "format": "e4m3", "granularity": "token",
   "reason": "absmax of each token"},
  {"path": "layer.0/ffn.output/input", "format": "e4m3", "sqnr_db": 31.4, "reason": "absmax"},
  {"path": "layer.0/ffn.output/weight", "format": "e4m3", "sqnr_db": null, "reason": "absmax"},
  {"path": "head/<classifier>", "format": "float", "reason": "role"}]})";

constexpr const char* kCompare = R"({"schema": "fp8q/compare/1", "command": "compare",
  "model": {"path": "m/model.e4m3.onnx", "sha256": "aa", "bytes": 3000000}, "format": "e4m3",
  "reference": {"model": {"path": "m/model.onnx", "sha256": "bb", "bytes": 1}, "format": "fp32"},
  "outputs": [{"name": "logits", "max_error": 0.25, "nmse": 0.004, "cosine": 0.998,
    "decisions": {"count": 8, "kl_mean": 0.0125, "kl_max": 0.1, "agreement": 0.875}},
    {"name": "<hidden>", "max_error": 1.0, "nmse": 0.01, "cosine": 0.99}],
  "sites": [
  {"path": "layer.0/ffn.output/input", "format": ["float", "e4m3"], "sqnr_db": 21.4,
   "cosine": 0.997, "saturated": 0.00125, "underflowed": 0.5},
  {"path": "layer.0/ffn.output/weight", "format": ["float", "e4m3"], "sqnr_db": 31.6,
   "cosine": 0.999, "saturated": 0, "underflowed": 0.0},
  {"path": "classifier/input", "format": ["float", "float"], "sqnr_db": null, "cosine": 1}]})";

constexpr const char* kSensitivity =
    R"({"schema": "fp8q/sensitivity/1", "command": "sensitivity", "recipe": "naive-int8", "examples": 16,
  "model": {"path": "m/model.onnx", "sha256": "bb", "bytes": 1},
  "whole": {"int8": {"divergence": 0.5}},
  "roles": [{"name": "ffn.output/input", "sites": 1, "formats": {"int8": {"alone": 0.25, "gain": 0}}},
    {"name": "<weight>", "sites": 1, "formats": {"int8": {"alone": 0.125, "gain": -1}}}],
  "layers": [{"name": "layer.0", "sites": 2, "formats": {"int8": {"alone": 0.375, "gain": 1}}}],
  "sites": [
  {"path": "layer.0/ffn.output/<weight>", "best": {"format": "e3m4", "reason": "a < b"},
   "formats": {"int8": {"rank": 2, "alone": {"divergence": 0.125}}}},
  {"path": "layer.0/ffn.output/input", "best": {"format": "e4m3", "reason": "outliers"},
   "formats": {"int8": {"rank": 1, "alone": {"divergence": 0.25}}}}]})";

constexpr const char* kTune = R"({"schema": "fp8q/tune/1", "command": "tune",
  "model": {"path": "m/model.onnx", "sha256": "bb", "bytes": 1}, "recipe": "int8", "task": "sst2",
  "split": "dev", "examples": 872, "confidence": null, "baseline_score": 88.5, "allowed_drop": 0.5, "evaluations": [
  {"fallbacks": 0, "quantised_sites": 56, "difference": -3.25, "interval": [-5.0, -1.0], "meets": false},
  {"fallbacks": 2, "quantised_sites": 50, "difference": -0.25, "interval": [-1.0, 0.5], "meets": true}],
  "chosen": 1, "fallbacks": [{"unit": "layer.0/<x>", "sites": [], "from": "int8", "to": "float",
  "reason": "tune: a & b"}], "holdout": null})";

constexpr const char* kHoldout = R"("holdout": {"examples": 436,
  "float": {"score": 87.5, "ci95": [85.0, 90.0]},
  "recipe": {"score": 83.0, "ci95": [80.0, 86.0],
    "difference": {"score": -4.5, "ci95": [-6.5, -2.5], "p_value": 0.001, "test": "t"}},
  "tuned": {"score": 87.0, "ci95": [84.5, 89.5],
    "difference": {"score": -0.5, "ci95": [-1.75, 0.75], "p_value": 0.625, "test": "t"}}})";

Statistics statistics() {
  SiteStatistics site;
  std::vector<float> values;
  for (int i = 1; i <= 64; ++i) values.push_back(static_cast<float>(i) / 64);
  site.observe(values, 8, 0);
  Statistics s;
  s.provenance.model_name = "model.onnx";
  s.sites = {{"x", "layer.0/ffn.output/input", site}, {"y", "layer.0/unseen/input", {}}};
  return s;
}

class Report : public testing::Test {
 protected:
  std::string page_of(const std::vector<std::filesystem::path>& files,
                      std::vector<std::string> sites = {}) const {
    return report_page(load_results(files),
                       {.title = "A & B", .version = "9.9", .sites = std::move(sites)});
  }

  TemporaryFolder temporary_;
};

TEST_F(Report, IsOneSoundPageThatNeedsNothingElse) {
  const auto calibration = temporary_.path() / "m.calib.json";
  save_statistics(statistics(), calibration);
  const std::string page = page_of({temporary_.write("eval.json", kEval),
                                    temporary_.write("convert.json", kConvert), calibration});
  EXPECT_EQ(markup_problem(page), "");
  EXPECT_THAT(page, AllOf(HasSubstr("<h1>A &amp; B</h1>"), HasSubstr("88.00 [86.00, 90.00]"),
                          HasSubstr("-1.00 [-2.00, +0.50]"), HasSubstr("accuracy 0.8900"),
                          HasSubstr("e4m3: SQNR by layer"), HasSubstr("&lt;classifier&gt;"),
                          HasSubstr("model.onnx: activations in int8")));
  for (const char* outside : {"http", "src=", "href=", "<script", "@import", "url("})
    EXPECT_THAT(page, Not(HasSubstr(outside)));
  EXPECT_TRUE(is_report_page(page));
  EXPECT_FALSE(is_report_page("<!DOCTYPE html><html>"));
}

TEST_F(Report, ComparisonListsTheWorstSitesFirst) {
  const std::string page = page_of({temporary_.write("compare.json", kCompare)});
  EXPECT_EQ(markup_problem(page), "");
  EXPECT_THAT(page, AllOf(HasSubstr("e4m3 against fp32"), HasSubstr("0.125 %"),
                          HasSubstr("87.50 %"), HasSubstr("&lt;hidden&gt;")));
  const size_t table = page.find("worst Sites");
  const size_t worst = page.find("<code>layer.0/ffn.output/input</code>", table);
  EXPECT_LT(worst, page.find("<code>layer.0/ffn.output/weight</code>", table));
  EXPECT_EQ(page.find("<code>classifier/input</code>", table), std::string::npos);  // is equal
}

TEST_F(Report, SensitivityRanksSitesByTheirHarm) {
  const std::string page = page_of({temporary_.write("s.json", kSensitivity)});
  EXPECT_EQ(markup_problem(page), "");
  EXPECT_THAT(page, AllOf(HasSubstr("5.00e-01 with everything"), HasSubstr("&lt;weight&gt;"),
                          HasSubstr("a &lt; b"), HasSubstr("int8: by layer")));
  EXPECT_LT(page.find("layer.0/ffn.output/input"), page.find("layer.0/ffn.output/&lt;weight"));
}

TEST_F(Report, TuningShowsItsWay) {
  const std::string page = page_of({temporary_.write("t.json", kTune)});
  EXPECT_EQ(markup_problem(page), "");
  EXPECT_THAT(page, AllOf(HasSubstr("-3.25, 56 Sites quantized"), HasSubstr("2 fallbacks"),
                          HasSubstr("layer.0/&lt;x&gt;"), HasSubstr("a &amp; b"),
                          HasSubstr("88.50 points")));
}

TEST_F(Report, TuningSaysWhatThePlanIsWorthOnOtherExamples) {
  EXPECT_THAT(page_of({temporary_.write("t.json", kTune)}), Not(HasSubstr("held out")));
  std::string result = kTune;
  const std::string none = "\"holdout\": null";
  result.replace(result.find(none), none.size(), kHoldout);
  const std::string page = page_of({temporary_.write("t.json", result)});
  EXPECT_EQ(markup_problem(page), "");
  EXPECT_THAT(page, AllOf(HasSubstr("436 examples held out"), HasSubstr("87.50 [85.00, 90.00]"),
                          HasSubstr("-4.50 [-6.50, -2.50]"), HasSubstr("-0.50 [-1.75, +0.75]"),
                          HasSubstr("0.625")));
}

TEST_F(Report, NumbersHaveNoFlips) {
  std::string result = kEval;
  const std::string flips = "\"flips\": 7";
  result.replace(result.find(flips), flips.size(), "\"flips\": null");
  const std::string page = page_of({temporary_.write("eval.json", result)});
  EXPECT_EQ(markup_problem(page), "");
  EXPECT_THAT(page, Not(HasSubstr(">null<")));
}

TEST_F(Report, TheSameResultsGiveTheSameBytes) {
  const auto file = temporary_.write("eval.json", kEval);
  EXPECT_EQ(page_of({file}), page_of({file}));
}

TEST_F(Report, HistogramHoldsAllValues) {
  const auto calibration = temporary_.path() / "m.calib.json";
  save_statistics(statistics(), calibration);
  const std::string page = page_of({calibration}, {"layer.0/ffn.output/input"});
  // The tooltips' shares add up to everything that was seen (1/64 to 1 lie within twelve octaves).
  double total = 0;
  for (const double share : numbers_after(page, "<rect x=\"")) EXPECT_LT(share, 100);
  for (const double share : numbers_after(page, "<title>")) total += share;
  EXPECT_NEAR(total, 100, 0.5);
  // E5M2 has four values to the octave. INT8's are spread evenly, and 1/127 is its smallest.
  EXPECT_THAT(page, HasSubstr("int8: SQNR"));
}

TEST_F(Report, FoldersGiveTheirResultsAndPassOverTheRest) {
  temporary_.write("b.json", kEval);
  temporary_.write("a.json", std::string("[") + kConvert + "," + kEval + "]");
  temporary_.write("other.json", "{\"schema\": 1}");
  temporary_.write("broken.json", "{");
  temporary_.write("text.txt", kEval);
  const auto results = load_results({temporary_.path()});
  ASSERT_EQ(results.size(), 3u);
  EXPECT_EQ(results[0].schema, "convert");
  EXPECT_EQ(results[2].path.filename(), "b.json");
}

TEST_F(Report, NamedFilesMustBeResults) {
  for (const char* content : {"{", "[]", "{\"schema\": \"fp8q/eval/2\"}", "[1, 2]", "",
                              "{\"schema\": 1, \"schema\": \"fp8q/inspect/1\"}"}) {
    const auto file = temporary_.write("x.json", content);
    EXPECT_THAT(error_of(ErrorCode::bad_data, [&] { load_results({file}); }),
                AllOf(HasSubstr("x.json"), HasSubstr("--json")));
  }
  error_of(ErrorCode::file, [&] { load_results({temporary_.path() / "absent.json"}); });
}

TEST_F(Report, AResultThatLacksAFieldIsNamed) {
  const auto file = temporary_.write("old.json", R"({"schema": "fp8q/eval/1", "task": "sst2"})");
  EXPECT_THAT(
      error_of(ErrorCode::bad_data, [&] { page_of({file}); }),
      AllOf(HasSubstr("old.json: \"model\" is missing"), HasSubstr("run the command again")));
}

TEST_F(Report, ScoresOfOtherDataAreOtherScores) {
  std::string part = kEval;
  part.replace(part.find("872"), 3, "10");
  const std::string page =
      page_of({temporary_.write("part.json", part), temporary_.write("whole.json", kEval)});
  EXPECT_THAT(page, AllOf(HasSubstr("sst2 dev (10)"), HasSubstr("sst2 dev (872)")));
}

TEST_F(Report, UnknownSiteIsRefused) {
  const auto calibration = temporary_.path() / "m.calib.json";
  save_statistics(statistics(), calibration);
  EXPECT_THAT(error_of(ErrorCode::usage, [&] { page_of({calibration}, {"layer.9"}); }),
              HasSubstr("layer.9"));
}

}  // namespace
}  // namespace fp8q::test
