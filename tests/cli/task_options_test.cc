// The options that describe a task's data mean the same to eval, tune, sensitivity and calibrate.

#include <gmock/gmock.h>

#include "tests/cli/demo_folder.h"

namespace fp8q::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using Words = std::vector<std::string>;

Words joined(Words words, const Words& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

class TaskOptionsOfCommands : public DemoFolder {
 protected:
  void write(const std::string& name, const std::string& content) const {
    temporary_.write("demo/" + name, content);
  }
};

class OwnTable : public TaskOptionsOfCommands {
 protected:
  void SetUp() override {
    TaskOptionsOfCommands::SetUp();
    write("mine.jsonl", R"({"review": "a wonderful film", "good": "positive", "bad": "negative"}
{"review": "a dull mess", "good": "negative", "bad": "positive"}
{"review": "terrible acting and no plot", "good": "negative", "bad": "positive"}
{"review": "great fun for everyone", "good": "positive", "bad": "negative"}
{"review": "it is what it is", "good": "positive", "bad": "negative"}
)");
  }
  const Words text_ = {"--task", "text", "--data", "mine.jsonl", "--text-column", "review"};
  const Words table_ = joined(text_, {"--label-column", "good"});
};

TEST_F(OwnTable, IsScoredAlikeByEveryCommand) {
  const json calibration = ok_json(joined({"calibrate", "model.onnx"}, text_));
  EXPECT_EQ(calibration["task"], "text");
  EXPECT_EQ(calibration["examples"], 5);
  const Words scored = joined(table_, {"--metric", "f1,accuracy", "--limit", "4"});
  const double score = ok_json(joined({"eval", "model.onnx"}, scored))["score"];
  const json tuned =
      ok_json(joined({"tune", "--recipe", "e4m3", "--max-drop", "100", "-o", "plan.json"}, scored));
  EXPECT_EQ(tuned["task"], "text");
  EXPECT_EQ(tuned["examples"], 4);
  EXPECT_DOUBLE_EQ(tuned["baseline_score"], score);
  const json ranked = ok_json(
      joined({"sensitivity", "--recipe", "e4m3", "--formats", "e4m3", "--examples", "1"}, scored));
  EXPECT_EQ(ranked["examples"], 1);
  EXPECT_DOUBLE_EQ(ranked["float"]["score"], score);
}

TEST_F(OwnTable, CheckpointsOfTuneAreOfOneMeaning) {
  ok(joined({"calibrate", "model.onnx"}, {"--examples", "4"}));
  const auto from_checkpoint = [&](const Words& more, const char* label = "good") {
    const Words tune = {"tune", "--recipe",  "e4m3",           "--max-drop", "100",
                        "-o",   "plan.json", "--label-column", label};
    const json r = ok_json(joined(joined(tune, text_), more));
    return r["evaluations"][0]["from_checkpoint"].get<bool>();
  };
  EXPECT_FALSE(from_checkpoint({}));
  EXPECT_TRUE(from_checkpoint({}));
  EXPECT_FALSE(from_checkpoint({"--metric", "mcc"}));
  EXPECT_TRUE(from_checkpoint({"--metric", "mcc"}));
  EXPECT_FALSE(from_checkpoint({"--metric", "mcc"}, "bad"));
  EXPECT_FALSE(from_checkpoint({"--holdout", "0.4"}));
}

TEST_F(OwnTable, TextOfATableIsNotTakenForSentences) {
  // The task is the one that config.json names, or there is none.
  const Words calibrate = {"calibrate", "model.onnx", "--data", "mine.jsonl"};
  EXPECT_THAT(fails(calibrate, 5), HasSubstr("\"sentence\" is missing"));
  write("silent.json", "{}");
  EXPECT_THAT(fails(joined(calibrate, {"--config", "silent.json"}), 2), HasSubstr("--task NAME"));
  EXPECT_THAT(fails({"calibrate", "model.onnx", "--task", "text"}, 2), HasSubstr("--data FILE"));
  EXPECT_THAT(fails({"calibrate", "model.onnx", "--task", "text", "--data", "mine.jsonl"}, 5),
              HasSubstr("mine.jsonl: line 1"));
}

TEST_F(TaskOptionsOfCommands, OptionsOfOtherTasksAreRefused) {
  for (const char* command : {"eval", "tune", "sensitivity"}) {
    EXPECT_THAT(fails({command, "model.onnx", "--task", "sst2", "--doc-stride", "3"}, 2),
                HasSubstr("--doc-stride is for --task squad and squad2; task sst2 has no use"));
    EXPECT_THAT(fails({command, "model.onnx", "--task", "sst2", "--metric", "f1"}, 2),
                HasSubstr("--metric is for --task text"));
  }
  for (const char* command : {"calibrate", "sensitivity"})
    EXPECT_THAT(fails({command, "model.onnx", "--task", "sst2", "--text-column", "x"}, 2),
                HasSubstr("--text-column is for --task text"));
  EXPECT_THAT(fails({"compare", "model.onnx", "model.onnx", "--pair-column", "x"}, 2),
              HasSubstr("--task"));
  // Without a task, nothing is scored.
  for (const char* option : {"--limit", "--n-best"})
    EXPECT_THAT(fails({"sensitivity", "model.onnx", option, "3"}, 2), HasSubstr("--task"));
}

// The passage is longer than a window, so there are several windows.
TEST_F(TaskOptionsOfCommands, QuestionsAreAskedAlikeByEveryCommand) {
  const fs::path model = example_model("minilm-l6-squad");
  FP8Q_SKIP_WITHOUT(model / "model.onnx");
  write("dev-v1.1.json",
        R"({"version": "1.1", "data": [{"title": "T", "paragraphs": [{"context":
"Tesla was born in Smiljan, worked for Edison, and died on 7 January 1943 in New York.", "qas": [
{"id": "when", "question": "When did he die?", "answers": [{"answer_start": 58, "text": "7 January 1943"}]},
{"id": "where", "question": "Where was he born?", "answers": [{"answer_start": 18, "text": "Smiljan"}]}
]}]}]})");
  const auto on = [&](const char* command, const Words& more) {
    return joined({command, model / "model.onnx", "--task", "squad", "--data", "dev-v1.1.json",
                   "--max-length", "24"},
                  more);
  };
  const Words windows = {"--doc-stride", "4", "--n-best", "2"};
  ok(joined(on("calibrate", {}), {"-o", "squad.calib.json"}));
  const json scores = ok_json(on("eval", windows));
  EXPECT_GT(scores["sequences"], 2) << "meant to be cut into windows";
  const auto tuned = [&](const Words& how) {
    return ok_json(on("tune", joined({"--calib", "squad.calib.json", "--recipe", "e4m3",
                                      "--max-drop", "100", "-o", "plan.json"},
                                     how)));
  };
  const json tune = tuned(windows);
  EXPECT_DOUBLE_EQ(tune["baseline_score"], scores["score"]);
  EXPECT_FALSE(tune["evaluations"][0]["from_checkpoint"]);
  EXPECT_TRUE(tuned(windows)["evaluations"][0]["from_checkpoint"]);
  for (const char* other : {"--max-answer-length", "--n-best"})
    EXPECT_FALSE(tuned({"--doc-stride", "4", other, "1"})["evaluations"][0]["from_checkpoint"])
        << other;
  const json ranked = ok_json(on(
      "sensitivity",
      joined({"--calib", "squad.calib.json", "--recipe", "e4m3", "--formats", "e4m3"}, windows)));
  EXPECT_DOUBLE_EQ(ranked["float"]["score"], scores["score"]);
}

TEST_F(TaskOptionsOfCommands, NumbersHaveNoFlips) {
  const fs::path model = example_model("minilm-l6-stsb");
  FP8Q_SKIP_WITHOUT(model / "model.onnx");
  write("stsb.tsv",
        "sentence1\tsentence2\tscore\nA man eats.\tA man is eating.\t4.8\nA dog runs.\tA plane "
        "lands.\t0.2\nGirls play.\tA girl is playing.\t3.5\n");
  const Words data = {"--task", "stsb", "--data", "stsb.tsv"};
  ok(joined({"calibrate", model / "model.onnx", "-o", "stsb.calib.json"}, data));
  ok({"convert", model / "model.onnx", "--calib", "stsb.calib.json", "-o", "stsb.onnx"});
  const Words eval = joined({"eval", "stsb.onnx", "--baseline", model / "model.onnx", "--tokenizer",
                             model / "tokenizer.json", "--config", model / "config.json"},
                            data);
  const json r = ok_json(eval);
  ASSERT_NE(r["difference"]["score"], 0);
  EXPECT_TRUE(r["difference"]["flips"].is_null());
  EXPECT_TRUE(r["difference"]["flipped"].is_null());
  const std::string text = ok(joined(eval, {"--flips"}));
  EXPECT_THAT(text, testing::ContainsRegex("[01]\\.[0-9]+ +- +"));  // p, flips
  EXPECT_THAT(text, HasSubstr("answers of task stsb are numbers, so no flips"));
  const Words sensitivity =
      joined({"sensitivity", model / "model.onnx", "--calib", "stsb.calib.json", "--recipe", "e4m3",
              "--formats", "int8", "--examples", "1", "--json", "ranked.json"},
             data);
  EXPECT_THAT(ok(sensitivity), testing::Not(HasSubstr("decisions")));
  EXPECT_TRUE(json::parse(bytes("ranked.json"))["whole"]["int8"]["agreement"].is_null());
}

}  // namespace
}  // namespace fp8q::test
