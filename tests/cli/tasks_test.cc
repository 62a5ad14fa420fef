// Runs `eval` and `calibrate` on tasks other than GLUE's: the user's own tables, and questions.

#include <gmock/gmock.h>

#include <fstream>

#include "tests/cli/demo_folder.h"

namespace fp8q::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

class Tasks : public DemoFolder {
 protected:
  void expect(const std::vector<std::string>& arguments, int code,
              const std::vector<std::string>& words) const {
    const ProcessResult r = in_folder(arguments);
    EXPECT_EQ(r.exit_code, code) << r.err;
    for (const auto& word : words) EXPECT_THAT(r.err, HasSubstr(word));
  }
  void write(const std::string& name, const std::string& content) const {
    temporary_.write("demo/" + name, content);
  }
};

TEST_F(Tasks, TablesOfTheUsersOwn) {
  write("mine.tsv",
        "id\treview\tstars\n1\ta wonderful film\tPositive\n2\ta dull mess\tnegative\n"
        "3\tterrible\t0\n4\tgreat fun\t1\n");
  const json tsv =
      ok_json({"eval", "model.onnx", "--task", "text", "--data", "mine.tsv", "--text-column",
               "review", "--label-column", "stars", "--metric", "accuracy,f1,mcc"});
  EXPECT_EQ(tsv["task"], "text");
  EXPECT_EQ(tsv["examples"], 4);
  EXPECT_EQ(tsv["metrics"].size(), 3u);
  EXPECT_EQ(tsv["metrics_ci95"]["mcc"].size(), 2u);
  write("mine.jsonl", R"({"text": "a wonderful film", "label": "positive"}
{"text": "a dull mess", "label": "negative"}
{"text": "terrible", "label": 0}
{"text": "great fun", "label": true}
)");
  const json lines = ok_json({"eval", "model.onnx", "--task", "text", "--data", "mine.jsonl"});
  EXPECT_EQ(lines["metrics"]["accuracy"], tsv["metrics"]["accuracy"]);
}

TEST_F(Tasks, MistakesInTablesAreNamed) {
  const std::vector<std::string> eval = {"eval", "model.onnx", "--task", "text"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), eval.begin(), eval.end());
    return more;
  };
  expect(eval, 2, {"--data FILE"});
  write("t.tsv", "text\tlabel\na\tpositive\nb\tgood\n");
  expect(with({"--data", "t.tsv"}), 5, {"t.tsv", "line 3", "good", "0 = negative"});
  expect(with({"--data", "t.tsv", "--text-column", "body"}), 5, {"t.tsv", "line 1", "\"body\""});
  expect(with({"--data", "t.tsv", "--label-column", "stars"}), 5, {"t.tsv", "\"stars\""});
  expect(with({"--data", "t.tsv", "--metric", "pearson"}), 2, {"pearson", "2 logits"});
  expect(with({"--data", "t.tsv", "--metric", "bleu"}), 2, {"bleu", "accuracy"});
  expect({"eval", "model.onnx", "--task", "sst2", "--metric", "f1"}, 2, {"--metric", "text"});
  expect({"eval", "model.onnx", "--task", "sst2", "--doc-stride", "3"}, 2,
         {"--doc-stride", "squad2"});
}

constexpr const char* kQuestions =
    R"({"version": "1.1", "data": [{"title": "T", "paragraphs": [{"context":
"Tesla died on 7 January 1943 in New York.", "qas": [
{"id": "when", "question": "What year did Tesla die?", "answers": [{"answer_start": 24, "text": "1943"},
{"answer_start": 14, "text": "7 January 1943"}]},
{"id": "where", "question": "Where did he die?", "answers": [{"answer_start": 32, "text": "New York"}]}
]}]}]})";

TEST_F(Tasks, QuestionsNeedAModelThatAnswersThem) {
  write("dev-v1.1.json", kQuestions);
  const std::vector<std::string> eval = {"eval",  "model.onnx", "--task",
                                         "squad", "--data",     "dev-v1.1.json"};
  // The windows have 128 tokens, and neighboring ones would share just as many.
  expect(eval, 2, {"model.onnx", "question when", "--doc-stride"});
  std::vector<std::string> shorter = eval;
  shorter.insert(shorter.end(), {"--doc-stride", "32"});
  expect(shorter, 5, {"model.onnx", "start and end logits"});
}

TEST_F(Tasks, QuestionsAreAnswered) {
  const fs::path source = example_model("minilm-l6-squad");
  FP8Q_SKIP_WITHOUT(source / "model.onnx");
  write("squad/dev-v1.1.json", kQuestions);
  write("squad/train-v1.1.json", kQuestions);
  write("squad/dev-v2.0.json", kQuestions);
  const fs::path qa = folder() / "qa";
  fs::create_directory(qa);
  for (const char* name : {"model.onnx", "config.json", "tokenizer.json"})
    fs::copy(source / name, qa / name);
  const json calibration = ok_json({"calibrate", "qa", "--data", "."});
  EXPECT_EQ(calibration["task"], "squad");
  EXPECT_EQ(calibration["examples"], 2);
  ASSERT_EQ(in_folder({"convert", "-q"}).exit_code, 0);
  const json r = ok_json({"eval", "--task", "squad", "--data", ".", "--predictions", "p.jsonl"});
  EXPECT_EQ(r["data"]["path"], "./squad/dev-v1.1.json");
  EXPECT_EQ(r["sequences"], 2);
  EXPECT_EQ(r["baseline"]["metrics"]["exact_match"], 1.0);
  EXPECT_EQ(r["difference"]["test"], "paired-bootstrap");
  std::ifstream lines(folder() / "p.jsonl");
  std::string line;
  ASSERT_TRUE(std::getline(lines, line));
  EXPECT_EQ(json::parse(line)["id"], "when");
  EXPECT_EQ(json::parse(line)["text"], "7 January 1943");
  // The command may replace its own predictions.
  ok_json({"eval", "--task", "squad", "--data", ".", "--predictions", "p.jsonl"});
  const json none = ok_json({"eval", "qa/model.onnx", "--task", "squad2", "--data", ".",
                             "--null-threshold", "-1000", "--predictions", "none.jsonl"});
  EXPECT_EQ(none["metrics"]["f1"], 0.0);
  EXPECT_EQ(none["metrics"]["best_f1"], 1.0);
}

}  // namespace
}  // namespace fp8q::test
