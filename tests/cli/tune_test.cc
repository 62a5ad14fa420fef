// fp8q tune on the demo model.

#include <gmock/gmock.h>

#include <algorithm>

#include "tests/cli/demo_folder.h"

namespace fp8q::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class Tune : public DemoFolder {
 protected:
  void SetUp() override {
    DemoFolder::SetUp();
    ok({"calibrate", "model.onnx", "--examples", "32"});
  }
  // With little data: what is tested is the way, not the score.
  std::vector<std::string> command(const std::vector<std::string>& more) const {
    std::vector<std::string> all = {"tune",       "--task", "sst2",          "--limit", "48",
                                    "--examples", "2",      "--evaluations", "2"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
};

TEST_F(Tune, APlanThatMeetsTheDemandIsConverted) {
  // E5M2 with ranges that cut most of every tensor off: falls back for certain.
  const json r = ok_json(command(
      {"--recipe", "e5m2", "--observer", "percentile:60", "--max-drop", "2", "-o", "plan.json"}));
  EXPECT_EQ(r["schema"], "fp8q/tune/1");
  ASSERT_FALSE(r["chosen"].is_null());
  const json& chosen = r["evaluations"][r["chosen"].get<size_t>()];
  EXPECT_TRUE(chosen["meets"]);
  EXPECT_GE(chosen["difference"], -2.0);
  EXPECT_LT(r["evaluations"][0]["difference"], -2.0) << "the recipe was meant to fail";
  EXPECT_GT(r["fallbacks"].size(), 0u);
  EXPECT_EQ(r["fallbacks"].size(), chosen["fallbacks"]);

  // The converted model scores what tuning said, and has what the plan says.
  const json converted = ok_json({"convert", "--plan", "plan.json"});
  size_t quantised = 0;
  for (const json& site : converted["sites"]) {
    quantised += site["format"] != "float";
    for (const json& fallback : r["fallbacks"])
      for (const json& path : fallback["sites"])
        if (path == site["path"]) {
          EXPECT_EQ(site["format"], fallback["to"]) << path;
          EXPECT_THAT(site["reason"].get<std::string>(), HasSubstr("of the estimated harm"));
        }
  }
  EXPECT_EQ(quantised, chosen["quantised_sites"]);
  const json score = ok_json({"eval", "--task", "sst2", "--limit", "48"});
  EXPECT_NEAR(score["score"].get<double>(), chosen["score"].get<double>(), 1e-9);
  EXPECT_NEAR(score["difference"]["score"].get<double>(), chosen["difference"].get<double>(), 1e-9);
}

TEST_F(Tune, ARecipeThatMeetsTheDemandStaysAsItIs) {
  const json r = ok_json(command({"--recipe", "e4m3", "--max-drop", "100"}));
  EXPECT_EQ(r["chosen"], 0);
  EXPECT_EQ(r["evaluations"].size(), 1u);
  EXPECT_TRUE(r["fallbacks"].empty());
  EXPECT_TRUE(fs::exists(folder() / "model.e4m3-tuned.json"));
  EXPECT_THAT(ok(command({"--recipe", "e4m3", "--max-drop", "100"})),
              HasSubstr("nothing falls back"));
}

TEST_F(Tune, TheCheckpointIsGoneOnFrom) {
  const std::vector<std::string> arguments = command(
      {"--recipe", "e5m2", "--observer", "percentile:60", "--max-drop", "2", "-o", "plan.json"});
  const json first = ok_json(arguments);
  const std::string plan = bytes("plan.json");
  ASSERT_TRUE(fs::exists(folder() / "plan.json.checkpoint"));
  const json second = ok_json(arguments);
  EXPECT_EQ(bytes("plan.json"), plan);
  ASSERT_EQ(second["evaluations"].size(), first["evaluations"].size());
  for (size_t i = 0; i < first["evaluations"].size(); ++i) {
    EXPECT_FALSE(first["evaluations"][i]["from_checkpoint"]);
    EXPECT_TRUE(second["evaluations"][i]["from_checkpoint"]);
    EXPECT_EQ(second["evaluations"][i]["score"], first["evaluations"][i]["score"]);
  }
  // Another seed, kind of product or meaning of the outputs is another measurement.
  std::vector<std::string> other;
  json config = json::parse(bytes("config.json"));
  std::swap(config["id2label"]["0"], config["id2label"]["1"]);
  std::ofstream(folder() / "swapped.json") << config;
  for (const std::vector<std::string>& more : std::vector<std::vector<std::string>>{
           {"--seed", "2"}, {"--compute", "bf16"}, {"--config", "swapped.json"}}) {
    other = arguments;
    other.insert(other.end(), more.begin(), more.end());
    EXPECT_FALSE(ok_json(other)["evaluations"][0]["from_checkpoint"]) << more.front();
  }
  // Damaged.
  std::ofstream(folder() / "plan.json.checkpoint") << "{\"schema\":\"fp8q/tune-checkpoint/1\", x";
  EXPECT_THAT(fails(arguments, 5), HasSubstr("--restart"));
  other = arguments;
  other.push_back("--restart");
  ok(other);
}

TEST_F(Tune, NoPlanIsExitCodeOne) {
  // Ranges that clip nearly everything: whatever product stays quantised changes decisions, and
  // none may change for the worse.
  const std::string error = fails(
      {"tune", "--task", "sst2", "--examples", "2", "--evaluations", "0", "--recipe", "e5m2",
       "--observer", "fixed:1e-3", "--max-drop", "0", "--confidence", "0.99", "-o", "plan.json"},
      1);
  EXPECT_THAT(error, HasSubstr("no plan of recipe e5m2 meets the demand"));
  EXPECT_FALSE(fs::exists(folder() / "plan.json"));
}

TEST_F(Tune, BadInputIsRefused) {
  EXPECT_EQ(in_folder({"tune"}).exit_code, 2);
  EXPECT_THAT(fails(command({"--confidence", "1"}), 2), HasSubstr("between 0 and 0.999"));
  EXPECT_THAT(fails(command({"--recipe", "int8", "--fallback", "e4m3,e4m3"}), 2),
              HasSubstr("twice"));
  EXPECT_THAT(fails(command({"-o", "absent/plan.json"}), 6), HasSubstr("no folder absent"));
  EXPECT_EQ(in_folder(command({"--evaluations", "-3"})).exit_code, 2);
  EXPECT_THAT(fails(command({"--fallback", "e4m3", "--recipe", "e4m3"}), 2),
              HasSubstr("what the recipe has already"));
  EXPECT_THAT(fails(command({"--fallback", "fp7"}), 2), HasSubstr("no format"));
  EXPECT_THAT(fails(command({"-o", "model.onnx"}), 2), HasSubstr("never overwritten"));
  std::ofstream(folder() / "mine.json") << "{}";
  EXPECT_THAT(fails(command({"-o", "mine.json"}), 6), HasSubstr("--force"));
}

}  // namespace
}  // namespace fp8q::test
