// Tests decisions for single Sites, from the command line and in plan files.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/cli/demo_folder.h"

namespace fp8q::test {
namespace {

using testing::HasSubstr;

class PlanOfDemo : public DemoFolder {
 protected:
  void SetUp() override {
    DemoFolder::SetUp();
    ok({"calibrate", "model.onnx", "--examples", "16"});
  }
  // Returns the Site with this path.
  static nlohmann::json site(const nlohmann::json& result, const std::string& path) {
    for (const auto& site : result["sites"])
      if (site["path"] == path) return site;
    ADD_FAILURE() << "no Site " << path;
    return {};
  }
};

TEST_F(PlanOfDemo, SitesAreDecidedOneByOne) {
  const auto r = ok_json({"convert", "--site", "layer.3/ffn.output/*=float", "--site",
                          "layer.*/query=e5m2:mse", "--site", "layer.0/ffn.*/*=int8"});
  EXPECT_EQ(r["recipe"], "e4m3-mixed");
  EXPECT_THAT(r["output"]["path"], HasSubstr("model.e4m3-mixed.onnx"));
  EXPECT_EQ(site(r, "layer.3/ffn.output/weight")["format"], "float");
  EXPECT_EQ(site(r, "layer.3/ffn.output/input")["reason"], "--site 'layer.3/ffn.output/*=float'");
  EXPECT_EQ(site(r, "layer.2/attention/query")["format"], "e5m2");
  EXPECT_EQ(site(r, "layer.2/attention/query")["observer"], "mse");
  EXPECT_EQ(site(r, "layer.0/ffn.output/weight")["format"], "int8");
  EXPECT_EQ(site(r, "layer.1/ffn.output/weight")["format"], "e4m3");
  // The engine runs the planned formats.
  const auto e = ok_json({"eval", "--task", "sst2", "--limit", "40"});
  EXPECT_EQ(e["format"], "e4m3-mixed");
  std::map<std::string, std::string> effective;
  for (const auto& k : e["kernels"]) effective[k["path"]] = k["effective"];
  EXPECT_THAT(effective["layer.0/ffn.output/input"], HasSubstr("int8"));
  EXPECT_THAT(effective["layer.3/ffn.output/input"], testing::Not(HasSubstr("e4m3")));
}

TEST_F(PlanOfDemo, APlanFileMakesTheSameModelAgain) {
  ok({"convert", "--format", "int8", "--observer", "percentile:99.9", "--weight-observer", "mse",
      "--site", "layer.1/*=float", "--quantize-head", "--quantize-embeddings", "--write-plan",
      "plan.json", "-o", "first.onnx"});
  ok({"convert", "--plan", "plan.json", "--write-plan", "again.json"});
  EXPECT_EQ(bytes("model.plan.onnx"), bytes("first.onnx"));
  EXPECT_EQ(bytes("again.json"), bytes("plan.json"));
  EXPECT_THAT(fails({"convert", "--plan", "plan.json", "--format", "e4m3"}, 2),
              HasSubstr("--format and --plan exclude each other"));
  EXPECT_THAT(fails({"convert", "--plan", "plan.json", "-o", "plan.json"}, 2),
              HasSubstr("plan.json"));
  EXPECT_THAT(fails({"convert", "--write-plan", "model.calib.json"}, 2),
              HasSubstr("model.calib.json"));
  EXPECT_THAT(fails({"convert", "--write-plan", "config.json"}, 2), HasSubstr("config.json"));
}

TEST_F(PlanOfDemo, StatisticsAreNeededOnlyWhereARangeFollowsFromThem) {
  const std::vector<std::string> all_fixed = {"convert", "model.onnx", "--site", "*=:fixed:20"};
  fs::remove(folder() / "model.calib.json");
  EXPECT_TRUE(ok_json(all_fixed)["statistics"].is_null());
  EXPECT_THAT(fails({"convert", "model.onnx"}, 6), HasSubstr("run `fp8q calibrate"));
}

TEST_F(PlanOfDemo, RangesOfOtherToolsMakeTheSameModel) {
  ok({"convert", "--format", "int8", "-o", "own.onnx", "--write-ranges", "ranges.json"});
  ok({"convert", "--format", "int8", "-o", "same.onnx", "--write-ranges", "trt.cache"});
  EXPECT_THAT(bytes("trt.cache"), testing::StartsWith("TRT-"));
  const auto scales = [](const nlohmann::json& result) {
    std::map<std::string, double> by_path;
    for (const auto& s : result["sites"])
      if (s["kind"] == "activation" && s["format"] != "float") by_path[s["path"]] = s["scale"];
    return by_path;
  };
  const auto own = scales(ok_json({"convert", "--format", "int8"}));
  EXPECT_EQ(own.size(), 32u);
  const auto from = [&](const char* file) {
    return ok_json({"convert", "model.onnx", "--format", "int8", "--calib", file});
  };
  EXPECT_EQ(scales(from("ranges.json")), own);
  // A cache holds range / 127 in FP32, so the last bit may differ. Twelve bits of the scale do not.
  for (const auto& [path, scale] : scales(from("trt.cache")))
    EXPECT_NEAR(scale, own.at(path), own.at(path) * 0x1p-11) << path;
  EXPECT_THAT(site(from("trt.cache"), "layer.0/attention/query")["reason"],
              HasSubstr("range from trt.cache"));
  EXPECT_THAT(fails({"convert", "--calib", "trt.cache", "--observer", "mse"}, 2),
              HasSubstr("holds ranges"));
  std::ofstream(folder() / "one.cache") << "TRT-8601-EntropyCalibration2\nx: 3f800000\n";
  EXPECT_THAT(fails({"convert", "--calib", "one.cache"}, 5),
              HasSubstr("has no range for 28 Sites, the first is layer.0/attention.input"));
  EXPECT_THAT(fails({"convert", "--write-ranges", "trt.cache"}, 6), HasSubstr("trt.cache"));
}

TEST_F(PlanOfDemo, SmoothedInputsNeedOnlyTheStatisticsThatAreThere) {
  const auto alphas = [](const nlohmann::json& result) {
    std::map<std::string, double> by_path;
    for (const auto& s : result["sites"])
      if (s.contains("alpha")) by_path[s["path"]] = s["alpha"];
    return by_path;
  };
  const auto given =
      ok_json({"convert", "model.onnx", "--format", "int8", "--smooth-quant", "0.5"});
  EXPECT_EQ(given["recipe"], "int8-smooth");
  EXPECT_EQ(alphas(given).size(), 16u) << "four inputs of four layers";
  EXPECT_EQ(alphas(given).at("layer.2/ffn.output/input"), 0.5);
  EXPECT_THAT(site(given, "layer.2/ffn.output/input")["reason"], HasSubstr("smoothed"));
  EXPECT_TRUE(fs::exists(folder() / "model.int8-smooth.onnx"));

  ok({"convert", "model.onnx", "--format", "int8", "--smooth-quant", "auto", "--site",
      "layer.1/*=:mse", "-o", "first.onnx", "--write-plan", "plan.json"});
  const auto again = ok_json({"convert", "model.onnx", "--plan", "plan.json"});
  EXPECT_EQ(bytes("model.plan.onnx"), bytes("first.onnx"));
  EXPECT_GT(alphas(again).size(), 0u);
  for (const auto& [path, alpha] : alphas(again)) EXPECT_THAT(path, testing::Not(HasSubstr(".1/")));

  EXPECT_THAT(fails({"convert", "--plan", "plan.json", "--smooth-quant", "0.5"}, 2),
              HasSubstr("--smooth-quant and --plan exclude each other"));
  EXPECT_THAT(fails({"convert", "--smooth-quant", "2"}, 2), HasSubstr("neither auto nor"));
  EXPECT_THAT(fails({"convert", "--smooth-quant", "auto", "--observer", "mse"}, 2),
              HasSubstr("--observer mse and --smooth-quant exclude each other"));
  EXPECT_THAT(fails({"convert", "--smooth-quant", "auto", "--write-ranges", "trt.cache"}, 2),
              HasSubstr("--write-ranges and --smooth-quant"));
  ok({"convert", "--format", "int8", "--write-ranges", "trt.cache"});
  EXPECT_THAT(fails({"convert", "--calib", "trt.cache", "--smooth-quant", "auto"}, 2),
              HasSubstr("fp8q calibrate"));
  fs::remove(folder() / "model.calib.json");
  EXPECT_THAT(
      fails({"convert", "model.onnx", "--format", "int8-dynamic", "--smooth-quant", "auto"}, 6),
      HasSubstr("fp8q calibrate"));
}

TEST_F(PlanOfDemo, UnitNeedsNoDataAndFollowsFromTheWeights) {
  const auto calibrated = ok_json({"convert", "--quantize-head"});
  fs::remove(folder() / "model.calib.json");
  const auto unit = ok_json({"convert", "model.onnx", "--observer", "unit", "--quantize-head"});
  EXPECT_TRUE(unit["statistics"].is_null());
  for (const auto& s : unit["sites"]) {
    if (s["kind"] != "activation" || s["format"] == "float") continue;
    const double seen = site(calibrated, s["path"])["scale"];
    EXPECT_GT(s["scale"].get<double>(), 0.1 * seen) << s["path"];
    EXPECT_LT(s["scale"].get<double>(), 10 * seen) << s["path"];
  }
  // Statistics cannot help here, so the message must not be about statistics.
  EXPECT_THAT(fails({"convert", "model.onnx", "--weight-observer", "unit"}, 2),
              HasSubstr("--weight-observer: observer unit is for activations"));
  EXPECT_THAT(fails({"convert", "model.onnx", "--site", "layer.1/attention.query/weight=:ema"}, 2),
              HasSubstr("layer.1/attention.query/weight: observer ema is for activations"));
  EXPECT_THAT(fails({"convert", "model.onnx"}, 6), HasSubstr("fp8q calibrate"));
}

TEST_F(PlanOfDemo, WrongDecisionsAreUsageErrors) {
  EXPECT_THAT(fails({"convert", "--site", "layer.9/*=float"}, 2), HasSubstr("matches none"));
  EXPECT_THAT(fails({"convert", "--site", "*/weight=int8"}, 2),
              HasSubstr("no hardware multiplies INT8 with FP8"));
  EXPECT_THAT(fails({"convert", "--observer", "median"}, 2),
              HasSubstr("--observer: \"median\" is no observer"));
  EXPECT_THAT(fails({"convert", "--plan", "absent.json"}, 6), HasSubstr("absent.json"));
}

}  // namespace
}  // namespace fp8q::test
