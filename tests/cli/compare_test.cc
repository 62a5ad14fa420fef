// Tests fp8q compare on the demo model.

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>

#include "tests/cli/demo_folder.h"

namespace fp8q::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class Compare : public DemoFolder {
 protected:
  void convert(const std::string& format) const {
    if (!fs::exists(folder() / "model.calib.json")) ok({"calibrate", "model.onnx"});
    ok({"convert", "--format", format});
  }
  static json site(const json& result, const std::string& path) {
    const auto found =
        std::ranges::find_if(result["sites"], [&](const json& s) { return s["path"] == path; });
    EXPECT_NE(found, result["sites"].end()) << path;
    return *found;
  }
};

TEST_F(Compare, AModelEqualsItself) {
  const json r = ok_json({"compare", "model.onnx", ".", "--examples", "8"});
  EXPECT_EQ(r["schema"], "fp8q/compare/1");
  EXPECT_EQ(r["examples"], 8);
  EXPECT_GT(r["sites"].size(), 50u);
  for (const json& s : r["sites"]) {
    EXPECT_TRUE(s["sqnr_db"].is_null()) << s;  // infinite
    EXPECT_EQ(s["max_error"], 0);
    EXPECT_EQ(s["nonfinite"], 0);
    EXPECT_GT(s["values"], 0);
  }
  EXPECT_EQ(r["outputs"][0]["nmse"], 0);
  EXPECT_EQ(r["outputs"][0]["decisions"]["agreement"], 1);
  EXPECT_EQ(r["outputs"][0]["decisions"]["count"], 8);
}

TEST_F(Compare, AConvertedModelDiffersWhereItIsRounded) {
  convert("e4m3");
  const json conversion = ok_json({"convert", "--format", "e4m3"});
  const json r = ok_json({"compare", "model.onnx", "model.e4m3.onnx", "--examples", "32"});
  for (const json& converted : conversion["sites"]) {
    const json s = site(r, converted["path"]);
    EXPECT_EQ(s["format"], json({"float", converted["format"]}));
    if (converted["format"] == "float") continue;
    // For weights, both numbers measure the same error. For activations, compare also counts the
    // rounding before the Site, while convert estimates from the histogram alone.
    const double theirs = converted["sqnr_db"], here = s["sqnr_db"];
    if (converted["kind"] == "weight") EXPECT_NEAR(here, theirs, 1e-6) << s;
    else EXPECT_NEAR(s["rounding_sqnr_db"].get<double>(), theirs, 1) << s;
    EXPECT_GT(s["cosine"], 0.99);
  }
  // The first Site of the first layer reads exact values. The values of the last layer have passed
  // all other Sites.
  const json first = site(r, "layer.0/attention.input");
  EXPECT_EQ(first["sqnr_db"], first["rounding_sqnr_db"]);
  const json last = site(r, "layer.3/ffn.output/input");
  EXPECT_LT(last["sqnr_db"].get<double>(), last["rounding_sqnr_db"].get<double>());
  const json& output = r["outputs"][0];
  EXPECT_GT(output["nmse"], 0);
  EXPECT_LT(output["nmse"], 0.05);
  EXPECT_GT(output["decisions"]["kl_mean"], 0);
  EXPECT_GE(output["decisions"]["agreement"], 0.9);
}

TEST_F(Compare, ScalesOfTokensAndFactorsOfChannelsAreKnown) {
  convert("int8-dynamic");
  ok({"convert", "model.onnx", "--format", "int8", "--smooth-quant", "0.5"});
  for (const char* other : {"model.int8-dynamic.onnx", "model.int8-smooth.onnx"}) {
    const json r = ok_json({"compare", "model.onnx", other, "--examples", "8"});
    int quantized = 0;
    for (const json& s : r["sites"]) {
      if (s["format"] != json({"float", "int8"})) continue;
      ++quantized;
      EXPECT_GT(s["sqnr_db"].get<double>(), 15) << other << ": " << s;
    }
    EXPECT_GE(quantized, 4 * (4 + 6)) << other;
  }
}

TEST_F(Compare, ResultsDoNotDependOnBatchAndThreads) {
  convert("int8");
  const auto facts = [&](const std::vector<std::string>& options) {
    std::vector<std::string> arguments = {"compare", "model.onnx", "model.int8.onnx", "--examples",
                                          "12",      "--data",     "sentences.txt"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    json r = ok_json(arguments);
    for (const char* own :
         {"engine", "threads", "elapsed_s", "peak_rss_bytes", "planned_memory_bytes"})
      r.erase(own);
    return r;
  };
  std::string text;
  for (int i = 0; i < 12; ++i)
    text += "sentence " + std::string(static_cast<size_t>(i), 'x') + "\n";
  std::ofstream(folder() / "sentences.txt") << text;
  const json reference = facts({"--batch", "1", "--threads", "1"});
  EXPECT_EQ(reference["data"]["builtin"], false);
  EXPECT_EQ(facts({"--batch", "5", "--threads", "2"}), reference);
  EXPECT_EQ(facts({"--batch", "64"}), reference);
}

TEST_F(Compare, ClippingAndUnderflowAreCounted) {
  ok({"calibrate", "model.onnx"});
  ok({"convert", "--format", "int8", "--observer", "percentile"});
  const json clipped = ok_json({"compare", "model.onnx", "model.int8.onnx"});
  // The percentile was taken on the same text: 1 in 10^4 values lies beyond it, in steps of a bin.
  EXPECT_GT(clipped["saturated"], 0);
  EXPECT_LT(clipped["saturated"], 2e-4);
  EXPECT_GT(clipped["underflowed"], 0);  // small values below half of INT8's step
  ok({"convert", "--format", "int8"});
  const json whole = ok_json({"compare", "model.onnx", "model.int8.onnx"});
  EXPECT_LT(whole["saturated"].get<double>(), clipped["saturated"].get<double>());
}

TEST_F(Compare, TableShowsTheWorstFirst) {
  convert("e5m2");
  const std::string table = ok({"compare", "model.onnx", "model.e5m2.onnx", "--examples", "8"});
  EXPECT_THAT(table, HasSubstr("site, worst first"));
  EXPECT_THAT(table, HasSubstr("the worst 15 of "));
  EXPECT_THAT(table, HasSubstr("same decision"));
  const std::string all =
      ok({"compare", "model.onnx", "model.e5m2.onnx", "--examples", "8", "--sites"});
  EXPECT_THAT(all, HasSubstr("layer.0/attention.value/weight"));
}

TEST_F(Compare, ModelsThatDoNotCorrespondAreRefused) {
  const std::string error = fails({"compare", "model.onnx", "absent.onnx"}, 6);
  EXPECT_THAT(error, HasSubstr("absent.onnx"));
  const fs::path other = example_model("minilm-l6-sst2") / "model.onnx";
  FP8Q_SKIP_WITHOUT(other);
  EXPECT_THAT(fails({"compare", other.string(), "model.onnx"}, 4),
              HasSubstr("only models with the same Sites can be compared"));
}

}  // namespace
}  // namespace fp8q::test
