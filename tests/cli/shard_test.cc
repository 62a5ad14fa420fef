// Tests `eval --shard` and `merge`: the scores of a run in parts are those of the run in one piece.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/cli/demo_folder.h"

namespace fp8q::test {
namespace {

using nlohmann::ordered_json;
using testing::HasSubstr;
using testing::Not;

// Removes everything that depends on how long things took.
void drop_times(ordered_json& result) {
  if (result.is_object())
    for (const char* time :
         {"elapsed_s", "peak_rss_bytes", "planned_memory_bytes", "examples_per_s", "tokens_per_s"})
      result.erase(time);
  for (auto& member : result)
    if (member.is_structured()) drop_times(member);
}

class Shards : public DemoFolder {
 protected:
  // Returns, as text, the results of merging what `shards` runs with --shard write.
  std::string merged(const std::vector<std::string>& eval, int shards,
                     std::vector<std::string> more = {}) const {
    std::vector<std::string> merge = {"merge"};
    for (int i = shards; i >= 1; --i) {
      std::vector<std::string> one = eval;
      const std::string part = "part" + std::to_string(i) + ".json";
      one.insert(one.end(), {"--shard", std::to_string(i) + "/" + std::to_string(shards), "-o",
                             part, "--batch", std::to_string(i + 2)});
      ok(one);
      merge.push_back(part);
    }
    merge.insert(merge.end(), more.begin(), more.end());
    return results(merge);
  }
  std::string results(std::vector<std::string> command) const {
    command.insert(command.end(), {"--json", "-"});
    ordered_json result = ordered_json::parse(ok(command));
    EXPECT_FALSE(result.is_null());
    drop_times(result);
    return result.dump(1);
  }
  void write(const std::string& name, const std::string& content) const {
    temporary_.write("demo/" + name, content);
  }
};

TEST_F(Shards, ScoreAsOneRunDoes) {
  ok({"calibrate", "model.onnx"});
  ok({"convert", "--format", "e5m2"});
  ok({"convert", "--format", "e4m3"});
  const std::vector<std::string> eval = {"eval", "model.e4m3.onnx", "model.e5m2.onnx", "--task",
                                         "sst2"};
  const fs::path kept = folder() / ".fp8q" / "results" / "eval-sst2-model.e4m3.json";
  const std::string of_parts = merged(eval, 3);
  EXPECT_TRUE(fs::exists(kept));
  EXPECT_EQ(of_parts, results(eval));
  // The results include flips and what rounding did.
  const auto result = ordered_json::parse(of_parts);
  EXPECT_GT(result[0]["difference"]["flips"], 0);
  EXPECT_GT(result[0]["rounding"].size(), 0u);

  const std::string table =
      ok({"merge", "part1.json", "part2.json", "part3.json", "--flips", "--kernels"});
  EXPECT_THAT(table, HasSubstr("examples 107 to 213 of 320"));
  EXPECT_THAT(table, HasSubstr("model.e4m3.onnx: 3 flips"));
  EXPECT_THAT(table, HasSubstr("effective"));
  EXPECT_THAT(fails({"merge", "part1.json", "part2.json", "part3.json", "--max-drop", "0"}, 1),
              HasSubstr("the score fell"));
}

TEST_F(Shards, AreNoResults) {
  ok({"calibrate", "model.onnx"});
  const std::vector<std::string> eval = {"eval", "model.onnx", "--task", "sst2", "--limit", "9"};
  auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), eval.begin(), eval.end());
    return more;
  };
  const std::string out = ok(with({"--shard", "2/2", "--json", "facts.json"}));
  EXPECT_THAT(out, HasSubstr("examples 5 to 9 of 9"));
  EXPECT_THAT(out, HasSubstr("model.sst2.2of2.json"));
  const auto facts = ordered_json::parse(bytes("facts.json"));
  EXPECT_EQ(facts["schema"], "fp8q/eval-shard/1");
  EXPECT_EQ(facts["output"]["path"], "model.sst2.2of2.json");
  EXPECT_FALSE(fs::exists(folder() / ".fp8q" / "results" / "eval-shard-sst2-model.json"));
  for (const auto& entry : fs::directory_iterator(folder() / ".fp8q" / "results"))
    EXPECT_THAT(entry.path().filename().string(), Not(HasSubstr("eval"))) << entry.path();
  EXPECT_THAT(fails({"report", "model.sst2.2of2.json"}, 5), HasSubstr("holds no results"));
  EXPECT_THAT(fails({"merge", "facts.json", "facts.json"}, 5), HasSubstr("-o"));

  EXPECT_THAT(fails(with({"--shard", "1/2", "--max-drop", "1"}), 2), HasSubstr("fp8q merge"));
  EXPECT_THAT(fails(with({"-o", "scores.json"}), 2), HasSubstr("--json"));
  EXPECT_THAT(fails(with({"--shard", "1/2", "-o", "model.onnx"}), 2), HasSubstr("input"));
  write("mine.json", "{}");
  EXPECT_THAT(fails(with({"--shard", "1/2", "-o", "mine.json"}), 6), HasSubstr("--force"));
}

TEST_F(Shards, OfTablesWithFewExamples) {
  write("mine.tsv",
        "review\tstars\na wonderful film\tPositive\na dull mess\tnegative\nterrible \xc3\xa9\t0\n"
        "great fun\t1\n");
  const std::vector<std::string> eval = {
      "eval",          "model.onnx", "--task",         "text",  "--data",   "mine.tsv",
      "--text-column", "review",     "--label-column", "stars", "--metric", "accuracy,f1,mcc"};
  std::vector<std::string> whole = eval;
  whole.insert(whole.end(), {"--predictions", "whole.jsonl"});
  auto expected = ordered_json::parse(results(whole));
  expected["predictions"] = "merged.jsonl";
  for (const int shards : {1, 3, 7}) {
    EXPECT_EQ(merged(eval, shards, {"--predictions", "merged.jsonl"}), expected.dump(1)) << shards;
    EXPECT_EQ(bytes("merged.jsonl"), bytes("whole.jsonl"));
  }
}

TEST_F(Shards, ThatDoNotFitAreRefused) {
  const auto shard = [&](const std::string& output, const std::string& which,
                         std::vector<std::string> more = {"--limit", "9"}) {
    more.insert(more.begin(),
                {"eval", "model.onnx", "--task", "sst2", "--shard", which, "-o", output});
    ok(more);
  };
  const auto refused = [&](std::vector<std::string> files, const char* why, int code = 5) {
    files.insert(files.begin(), "merge");
    EXPECT_THAT(fails(files, code), HasSubstr(why));
  };
  shard("1.json", "1/3"), shard("2.json", "2/3"), shard("3.json", "3/3");
  refused({"1.json", "3.json"}, "a shard is missing: no file holds examples 4 to 6 of 9");
  refused({"3.json", "2.json"}, "no file holds examples 1 to 3 of 9");
  refused({"1.json", "2.json"}, "no file holds examples 7 to 9 of 9");
  refused({"1.json", "2.json", "2.json", "3.json"}, "2.json and 2.json hold the same examples");
  shard("other.json", "3/3", {"--limit", "9", "--max-length", "9"});
  refused({"1.json", "2.json", "other.json"},
          "2.json and other.json are not of one run: they differ in --max-length (128 and 9)");
  shard("other.json", "3/3", {"--limit", "9", "--seed", "7"});
  refused({"1.json", "2.json", "other.json"}, "they differ in --seed (1 and 7)");
  shard("other.json", "3/3", {"--limit", "12"});
  refused({"1.json", "2.json", "other.json"}, "examples 4 to 6 of 9 and examples 9 to 12 of 12");
  shard("other.json", "3/3", {"--limit", "9", "--reference"});
  refused({"1.json", "2.json", "other.json"}, "they differ in --reference");

  ok({"calibrate", "model.onnx", "--shard", "1/2", "-o", "calib.json"});
  refused({"1.json", "calib.json"}, "calib.json is one of a calibration");
  refused({"1.json", "config.json"}, "config.json is none");
  refused({"calib.json"}, "-o FILE", 2);
  refused({"calib.json", "-o", "x.json", "--flips"}, "--flips", 2);
  refused({"1.json", "2.json", "3.json", "-o", "x.json"}, "--json", 2);
  ok({"calibrate", "model.onnx"});
  ok({"convert", "--format", "e5m2"});
  ok({"eval", "model.e5m2.onnx", "--no-baseline", "--task", "sst2", "--limit", "9", "--shard",
      "3/3", "-o", "other.json"});
  refused({"1.json", "2.json", "other.json"}, "they differ in the model (sha256 ");

  std::string damaged = bytes("3.json");
  damaged.replace(damaged.find("\"gold\":"), 8, "\"gold\":7");
  write("damaged.json", damaged);
  refused({"1.json", "2.json", "damaged.json"}, "damaged.json: checksum");
}

// Covers regression, pairs, and questions, whose sequences are windows.
TEST_F(Shards, OfExampleModels) {
  struct Case {
    const char* model;
    std::vector<std::string> task;
  };
  const auto questions = [](const std::string& more) {
    return R"({"version": "1", "data": [{"title": "T", "paragraphs": [{"context":
"Tesla died on 7 January 1943 in New York.", "qas": [
{"id": "when", "question": "What year did Tesla die?", "answers": [{"answer_start": 24, "text": "1943"}]},
{"id": "where", "question": "Where did he die?", "answers": [{"answer_start": 32, "text": "New York"}]})" +
           more + "]}]}]}";
  };
  write("dev-v1.1.json", questions(""));
  write("dev-v2.0.json", questions(R"(,
{"id": "who", "question": "Who was his wife?", "answers": [], "is_impossible": true})"));
  write(
      "stsb.tsv",
      "genre\tsentence1\tsentence2\tscore\nn\tA man eats.\tA man is eating.\t4.8\nn\tA dog "
      "runs.\tA plane lands.\t0.2\nn\tGirls play.\tA girl is playing.\t3.5\nn\tIt rains.\tThe sun "
      "shines.\t1.0\n");
  const Case cases[] = {
      {"minilm-l6-stsb", {"--task", "stsb", "--data", "stsb.tsv"}},
      {"minilm-l6-squad", {"--task", "squad2", "--data", "dev-v2.0.json"}},
      {"minilm-l6-squad",
       {"--task", "squad", "--data", "dev-v1.1.json", "--max-length", "24", "--doc-stride", "4"}},
  };
  for (const Case& c : cases) {
    const fs::path model = example_model(c.model) / "model.onnx";
    FP8Q_SKIP_WITHOUT(model);
    std::vector<std::string> eval = {"eval", model.string()};
    eval.insert(eval.end(), c.task.begin(), c.task.end());
    EXPECT_EQ(merged(eval, 2), results(eval)) << c.model;
  }
}

}  // namespace
}  // namespace fp8q::test
