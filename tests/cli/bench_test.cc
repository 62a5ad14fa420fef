// Tests fp8q bench on sizes that take no time.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/support/paths.h"
#include "tests/support/process.h"

namespace fp8q::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class Bench : public testing::Test {
 protected:
  ProcessResult run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "bench");
    return run_fp8q(arguments, {.folder = temporary_.path()});
  }
  std::string ok(const std::vector<std::string>& arguments) const {
    const ProcessResult r = run(arguments);
    EXPECT_EQ(r.exit_code, 0) << r.err;
    return r.out;
  }
  void refused(const std::vector<std::string>& arguments, const std::string& word) const {
    const ProcessResult r = run(arguments);
    EXPECT_EQ(r.exit_code, 2) << testing::PrintToString(arguments);
    EXPECT_EQ(r.out, "");
    EXPECT_THAT(r.err, HasSubstr(word));
  }

  TemporaryFolder temporary_;
  std::filesystem::path model_ = source_dir() / "models" / "demo-sst2" / "model.onnx";
};

TEST_F(Bench, TableOfFormatsSideBySide) {
  const std::string table = ok({"--shape", "tiny", "--format", "fp32,int8", "--batch", "1,2",
                                "--length", "8", "--repeat", "3", "--compare", "--kernels"});
  for (const char* word : {"tiny, random weights", "sequences/s", "of roof", "int8 ms", "speed",
                           "ffn.intermediate", "batch 2, length 8", "measured roof: fp32"})
    EXPECT_THAT(table, HasSubstr(word));
  EXPECT_THAT(table, Not(HasSubstr("e4m3")));
  EXPECT_THAT(ok({"--shape", "tiny", "--repeat", "1", "--batch", "1"}),
              Not(HasSubstr("ffn.intermediate")));
}

TEST_F(Bench, JsonHoldsTheFacts) {
  const json r = json::parse(
      ok({"--shape", "tiny", "--format", "e4m3", "--format", "bf16", "--batch", "3", "--length",
          "16,32", "--ragged", "--repeat", "2", "--kernels", "--threads", "1", "--json", "-"}));
  EXPECT_EQ(r["schema"], "fp8q/bench/1");
  EXPECT_EQ(r["shape"], "tiny");
  EXPECT_TRUE(r["model"].is_null());
  EXPECT_EQ(r["threads"], 1);
  EXPECT_EQ(r["roofs"][0]["unit"], "fp32");
  EXPECT_GT(r["roofs"][0]["tflops"], 0.0);
  EXPECT_EQ(r["variants"].size(), 2u);
  ASSERT_EQ(r["rows"].size(), 4u);
  const json& row = r["rows"][3];
  EXPECT_EQ(row["format"], "bf16");
  EXPECT_EQ(row["batch"], 3);
  EXPECT_EQ(row["sequence"], 32);
  EXPECT_TRUE(row["packed"]);
  EXPECT_LT(row["tokens"], 3 * 32);
  EXPECT_EQ(row["runs"], 2);
  for (const char* field : {"median_ms", "p10_ms", "p90_ms", "p99_ms", "min_ms", "tflops",
                            "sequences_per_s", "tokens_per_s", "roof_fraction", "ratio"})
    EXPECT_GT(row[field], 0.0) << field;
  EXPECT_EQ(row["stages"][0]["stage"], "embeddings");
  EXPECT_TRUE(row["stages"][0]["unit"].is_null());
}

TEST_F(Bench, ModelsRunAsTheyStand) {
  const json r = json::parse(
      ok({model_.string(), "--batch", "2", "--length", "16", "--repeat", "2", "--json", "-"}));
  EXPECT_TRUE(r["shape"].is_null());
  EXPECT_EQ(r["model"]["path"], model_.string());
  EXPECT_EQ(r["rows"][0]["format"], "fp32");
  EXPECT_EQ(r["rows"].size(), 1u);
  EXPECT_THAT(ok({model_.string(), "--batch", "1", "--length", "8", "--repeat", "1"}),
              HasSubstr("model.onnx"));
}

TEST_F(Bench, RefusesWhatItCannotMeasure) {
  refused({"--shape", "bert-huge"}, "bert-large");
  refused({"--format", "e9m9"}, "e4m3");
  refused({"--batch", "0"}, "--batch");
  refused({"--length", "8,none"}, "none");
  refused({"--shape", "tiny", "--length", "129"}, "at most 128 tokens");
  refused({"--repeat", "3", "--min-time", "1"}, "--min-time");
  refused({model_.string(), "--shape", "tiny"}, "--shape");
  refused({model_.string(), "--format", "int8"}, "--format");
  refused({model_.string(), "--length", "129"}, "at most 128 tokens");
  refused({"--compute", "bf16"}, "--format bf16");
  refused({"--device", "toaster"}, "toaster");
  refused({"--gelu", "sigmoid"}, "tanh");
  refused({"--tokens", "0"}, "--tokens");
}

}  // namespace
}  // namespace fp8q::test
