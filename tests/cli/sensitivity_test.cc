// Tests fp8q sensitivity on the demo model.

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "tests/cli/demo_folder.h"

namespace fp8q::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class SensitivityCommand : public DemoFolder {
 protected:
  void SetUp() override {
    DemoFolder::SetUp();
    ok({"calibrate", "model.onnx", "--examples", "32"});
  }
};

TEST_F(SensitivityCommand, EverySiteHasItsHarmInEveryFormat) {
  const json r = ok_json({"sensitivity", "--recipe", "e4m3", "--examples", "4"});
  EXPECT_EQ(r["schema"], "fp8q/sensitivity/1");
  EXPECT_EQ(r["sites"].size(), 4 * 14 + 4u);  // those of convert, and the head's
  EXPECT_EQ(r["trials"], 3 * (2 * r["sites"].size() + 1));
  EXPECT_EQ(r["float"]["divergence"], 0);
  for (const char* format : {"e4m3", "e5m2", "int8"}) {
    EXPECT_GT(r["whole"][format]["divergence"], 0);
    std::set<size_t> ranks;
    double sum = 0;
    for (const json& site : r["sites"]) {
      const json& in = site["formats"][format];
      EXPECT_GE(in["alone"]["divergence"], 0) << site["path"];
      EXPECT_GT(in["sqnr_db"], 5) << site["path"];
      ranks.insert(in["rank"].get<size_t>());
      sum += in["alone"]["divergence"].get<double>();
    }
    EXPECT_EQ(ranks.size(), r["sites"].size());
    EXPECT_EQ(*ranks.rbegin(), r["sites"].size());
    for (const char* groups : {"roles", "layers"}) {
      double total = 0;
      size_t sites = 0;
      for (const json& group : r[groups]) {
        total += group["formats"][format]["alone"].get<double>();
        sites += group["sites"].get<size_t>();
      }
      EXPECT_NEAR(total, sum, 1e-9 * sum) << groups;
      EXPECT_EQ(sites, r["sites"].size()) << groups;
    }
  }
  for (const json& site : r["sites"]) {
    EXPECT_EQ(site["best"]["sqnr_db"].size(), 5u);
    EXPECT_THAT(site["best"]["reason"].get<std::string>(), HasSubstr("kurtosis"));
    EXPECT_GE(site["distribution"]["kurtosis"], 1);
    EXPECT_GE(site["distribution"]["outlier_ratio"], 1);
  }
}

TEST_F(SensitivityCommand, EverySiteThereIsUnlessARecipeIsNamed) {
  const json r = ok_json({"sensitivity", "--formats", "int8", "--examples", "2"});
  EXPECT_EQ(r["recipe"], "naive-int8");
  const auto has = [&](const std::string& path) {
    return std::ranges::any_of(r["sites"], [&](const json& s) { return s["path"] == path; });
  };
  for (const char* path : {"layer.0/ffn.residual", "layer.3/attention/scores",
                           "layer.2/ffn.output/weight", "embeddings.sum"})
    EXPECT_TRUE(has(path)) << path;
}

TEST_F(SensitivityCommand, IsTheSameFromRunToRun) {
  const auto run = [&](const char* threads) {
    json r = ok_json({"sensitivity", "--recipe", "e4m3", "--formats", "int8", "--examples", "3",
                      "--threads", threads});
    for (const char* own :
         {"threads", "elapsed_s", "peak_rss_bytes", "planned_memory_bytes", "engine"})
      r.erase(own);
    return r;
  };
  EXPECT_EQ(run("1"), run("2"));
}

TEST_F(SensitivityCommand, TaskAddsScores) {
  const json r = ok_json({"sensitivity", "--recipe", "e4m3", "--formats", "e5m2", "--examples", "2",
                          "--task", "sst2", "--limit", "20"});
  EXPECT_EQ(r["task"], "sst2");
  const double score = r["float"]["score"];
  EXPECT_GT(score, 50);
  for (const json& site : r["sites"])
    EXPECT_NEAR(site["formats"]["e5m2"]["alone"]["score"].get<double>(), score, 20);
}

TEST_F(SensitivityCommand, TableRanksSitesRolesAndLayers) {
  const std::string text =
      ok({"sensitivity", "--recipe", "e4m3", "--formats", "int8", "--examples", "2"});
  for (const char* part : {"int8, worst first", "the worst 12 of 60", "ffn.output/input", "layer.3",
                           "outside layers", "best format", "all in int8"})
    EXPECT_THAT(text, HasSubstr(part));
}

TEST_F(SensitivityCommand, BadInputIsRefused) {
  EXPECT_THAT(fails({"sensitivity", "--formats", "e9m9"}, 2), HasSubstr("e9m9"));
  EXPECT_THAT(fails({"sensitivity", "model.onnx", "--calib", "absent.json"}, 6),
              HasSubstr("fp8q calibrate"));
  ok({"convert", "--format", "int8"});
  EXPECT_THAT(fails({"sensitivity", "model.int8.onnx"}, 4), HasSubstr("already quantized"));
}

}  // namespace
}  // namespace fp8q::test
