// Tests --task text with the user's own tables.
#include "tasks/user_task.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "tasks/label_map.h"
#include "tasks/task_reader.h"
#include "tests/support/errors.h"

namespace fp8q {
namespace {

using test::error_of;
using testing::ElementsAre;
using testing::HasSubstr;

ModelConfig topics() {
  ModelConfig config;
  config.id2label = {"World", "Sci-Tech", "Sports"};
  return config;
}

TEST(UserTask, TakesTheModelsLabels) {
  const Task task = make_user_task({.label_column = "topic"}, topics(), 3);
  EXPECT_EQ(task.metrics, std::vector{MetricKind::accuracy});
  const Dataset data = read_task_table(task, "f", "topic\ttext\nSports\ta\nsci tech\tb\n0\tc\n");
  EXPECT_EQ(data.examples[0].gold, 2);
  EXPECT_EQ(data.examples[1].gold, 1);
  EXPECT_EQ(data.examples[2].gold, 0);
  // The model's own order is the order of the task.
  EXPECT_THAT(match_labels(task, topics(), 3).logit_of_class, ElementsAre(0, 1, 2));
}

TEST(UserTask, NumbersClassesWithoutNames) {
  const Task task = make_user_task({}, {}, 4);
  const auto read = [&](const char* line) {
    return read_task_table(task, "f.tsv", std::string("text\tlabel\n") + line).examples[0].gold;
  };
  EXPECT_EQ(read("x\t3"), 3);
  EXPECT_THAT(error_of(ErrorCode::bad_data, [&] { read("x\t4"); }),
              HasSubstr("f.tsv: line 2: expected a label of task text (0 = 0, 1 = 1"));
}

TEST(UserTask, LabelsThatDifferInCaseOnlyStayApart) {
  ModelConfig config;
  config.id2label = {"a", "A"};
  const Task task = make_user_task({}, config, 2);
  EXPECT_EQ(task.class_of("A"), 1u);
  EXPECT_EQ(task.class_of("a"), 0u);
}

TEST(UserTask, MetricsMustFitTheModel) {
  const auto make = [](const std::vector<std::string>& metrics, size_t outputs) {
    return make_user_task({.metrics = metrics}, {}, outputs);
  };
  EXPECT_EQ(make({}, 1).metrics, (std::vector{MetricKind::pearson, MetricKind::spearman}));
  EXPECT_TRUE(make({"spearman"}, 0).is_regression());
  EXPECT_EQ(make({"accuracy", "f1"}, 2).metrics.size(), 2u);
  const auto refusal = [&](const std::vector<std::string>& metrics, size_t outputs) {
    return error_of(ErrorCode::usage, [&] { make(metrics, outputs); });
  };
  EXPECT_THAT(refusal({"bleu"}, 2), HasSubstr("no metric \"bleu\""));
  EXPECT_THAT(refusal({"accuracy", "pearson"}, 2), HasSubstr("choose one kind"));
  EXPECT_THAT(refusal({"pearson"}, 2), HasSubstr("2 logits"));
  EXPECT_THAT(refusal({"mcc"}, 1), HasSubstr("one number"));
  EXPECT_THAT(refusal({"f1"}, 3), HasSubstr("macro_f1"));
}

TEST(JsonLines, AreReadAsTables) {
  const Task task =
      make_user_task({.text_column = "a", .pair_column = "b", .label_column = "y"}, topics(), 3);
  const Dataset data = read_task_lines(
      task, "f",
      "{\"a\": \"x\", \"b\": \"tab\\there\", \"y\": \"World\", \"z\": 1}\n\n"
      "{\"y\": 2, \"b\": \"\", \"a\": \"\"}\n{\"a\": \"t\", \"b\": \"u\", \"y\": true}");
  ASSERT_EQ(data.examples.size(), 3u);
  EXPECT_EQ(data.examples[0].pair, "tab\there");
  EXPECT_EQ(data.examples[1].gold, 2);
  EXPECT_EQ(data.examples[2].gold, 1);
}

TEST(JsonLines, ErrorsNameTheLine) {
  const Task task = make_user_task({}, topics(), 3);
  const std::string good = "{\"text\": \"x\", \"label\": 0}\n";
  const auto refusal = [&](const std::string& lines) {
    return error_of(ErrorCode::bad_data, [&] { read_task_lines(task, "f.jsonl", lines); });
  };
  EXPECT_THAT(refusal(good + "{\"text\""), HasSubstr("f.jsonl: line 2"));
  EXPECT_THAT(refusal(good + "[1]"), HasSubstr("f.jsonl: line 2: expected an object"));
  EXPECT_THAT(refusal(good + "{\"label\": 0}"), HasSubstr("line 2: \"text\" is missing"));
  EXPECT_THAT(refusal(good + "{\"text\": \"x\"}"), HasSubstr("line 2: \"label\" is missing"));
  EXPECT_THAT(refusal(good + "{\"text\": 5, \"label\": 0}"),
              HasSubstr("line 2: text: expected a string, found 5"));
  EXPECT_THAT(refusal("{\"text\": \"x\", \"label\": \"Rocks\"}"),
              HasSubstr("line 1: expected a label of task text"));
  EXPECT_THAT(refusal(good + "{\"text\": \"x\", \"text\": \"y\"}"),
              HasSubstr("line 2: the key \"text\" stands twice"));
  EXPECT_THAT(refusal(good + std::string(500, '[')), HasSubstr("line 2: is nested"));
  EXPECT_THAT(refusal("\n"), HasSubstr("f.jsonl"));
  EXPECT_FALSE(read_task_lines(task, "f", "{\"text\": \"x\"}").labeled);
}

}  // namespace
}  // namespace fp8q
