// Tests fp8q tune on the demo model.

#include <gmock/gmock.h>

#include <algorithm>

#include "tests/cli/demo_folder.h"

namespace fp8q::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

class Tune : public DemoFolder {
 protected:
  void SetUp() override {
    DemoFolder::SetUp();
    ok({"calibrate", "model.onnx", "--examples", "32"});
  }
  // The commands use little data, because the steps are tested, not the score.
  std::vector<std::string> command(const std::vector<std::string>& more) const {
    std::vector<std::string> all = {"tune",       "--task", "sst2",          "--limit", "48",
                                    "--examples", "2",      "--evaluations", "2"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
};

TEST_F(Tune, APlanThatMeetsTheDemandIsConverted) {
  // E5M2 with ranges that cut most of every tensor off certainly needs fallbacks.
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

  // The converted model has the score that tuning reported, and the formats of the plan.
  const json converted = ok_json({"convert", "--plan", "plan.json"});
  size_t quantized = 0;
  for (const json& site : converted["sites"]) {
    quantized += site["format"] != "float";
    for (const json& fallback : r["fallbacks"])
      for (const json& path : fallback["sites"])
        if (path == site["path"]) {
          EXPECT_EQ(site["format"], fallback["to"]) << path;
          EXPECT_THAT(site["reason"].get<std::string>(), HasSubstr("of the estimated harm"));
        }
  }
  EXPECT_EQ(quantized, chosen["quantised_sites"]);
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
  // Another seed, kind of product or meaning of the outputs makes another measurement.
  std::vector<std::string> other;
  json config = json::parse(bytes("config.json"));
  std::swap(config["id2label"]["0"], config["id2label"]["1"]);
  std::swap(config["label2id"]["negative"], config["label2id"]["positive"]);
  std::ofstream(folder() / "swapped.json") << config;
  for (const std::vector<std::string>& more : std::vector<std::vector<std::string>>{
           {"--seed", "2"}, {"--compute", "bf16"}, {"--config", "swapped.json"}}) {
    other = arguments;
    other.insert(other.end(), more.begin(), more.end());
    EXPECT_FALSE(ok_json(other)["evaluations"][0]["from_checkpoint"]) << more.front();
  }
  // This checkpoint is damaged.
  std::ofstream(folder() / "plan.json.checkpoint") << "{\"schema\":\"fp8q/tune-checkpoint/1\", x";
  EXPECT_THAT(fails(arguments, 5), HasSubstr("--restart"));
  other = arguments;
  other.push_back("--restart");
  ok(other);
}

TEST_F(Tune, ThePlanIsJudgedOnExamplesItWasNotChosenOn) {
  const std::vector<std::string> arguments =
      command({"--recipe", "e5m2", "--observer", "percentile:50", "--max-drop", "2", "-o",
               "plan.json", "--holdout", "0.5"});
  const json r = ok_json(arguments);
  EXPECT_EQ(r["examples"], 24);
  const json& held = r["holdout"];
  EXPECT_EQ(held["examples"], 24);
  ASSERT_GT(r["fallbacks"].size(), 0u);
  // The seen and the held-out examples together are what eval sees. The score is accuracy on
  // equally many of each.
  ok({"convert", "--plan", "plan.json"});
  const json all = ok_json({"eval", "--task", "sst2", "--limit", "48"});
  const json& chosen = r["evaluations"][r["chosen"].get<size_t>()];
  EXPECT_NEAR(all["score"].get<double>(),
              (chosen["score"].get<double>() + held["tuned"]["score"].get<double>()) / 2, 1e-9);
  EXPECT_NEAR(all["baseline"]["score"].get<double>(),
              (r["baseline_score"].get<double>() + held["float"]["score"].get<double>()) / 2, 1e-9);
  EXPECT_EQ(held["tuned"]["difference"]["test"], "mcnemar-exact");
  EXPECT_LT(held["recipe"]["difference"]["score"], -2) << "the recipe was meant to fail";
  EXPECT_LT(held["recipe"]["difference"]["p_value"], 0.5);
  EXPECT_NEAR(held["recipe"]["difference"]["score"].get<double>(),
              held["recipe"]["score"].get<double>() - held["float"]["score"].get<double>(), 1e-9);
  for (const json& note : r["notes"])
    EXPECT_THAT(note.get<std::string>(), Not(HasSubstr("flatters")));
  EXPECT_THAT(ok(arguments), HasSubstr("24 examples held out"));
  // Another seed holds out other examples.
  EXPECT_FALSE(ok_json(command({"--recipe", "e4m3", "--max-drop", "100", "-o", "plan.json",
                                "--holdout", "0.5", "--seed", "2"}))["holdout"]
                   .is_null());
}

TEST_F(Tune, ARecipeThatMeetsTheDemandIsJudgedOnOthersToo) {
  const json r = ok_json(command({"--recipe", "e4m3", "--max-drop", "100", "--holdout", "0.25"}));
  EXPECT_EQ(r["holdout"]["examples"], 12);
  EXPECT_EQ(r["holdout"]["tuned"], r["holdout"]["recipe"]);
  EXPECT_TRUE(ok_json(command({"--recipe", "e4m3", "--max-drop", "100"}))["holdout"].is_null());
}

TEST_F(Tune, NoPlanIsExitCodeOne) {
  // These ranges clip nearly everything. Whatever product stays quantized changes decisions, and
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
  EXPECT_THAT(fails(command({"--holdout", "1"}), 2), HasSubstr("--holdout 1: must be a share"));
  EXPECT_THAT(fails(command({"--holdout", "0.001"}), 2), HasSubstr("none would be held out"));
  EXPECT_THAT(fails(command({"-o", "model.onnx"}), 2), HasSubstr("never overwritten"));
  std::ofstream(folder() / "mine.json") << "{}";
  EXPECT_THAT(fails(command({"-o", "mine.json"}), 6), HasSubstr("--force"));
}

}  // namespace
}  // namespace fp8q::test
