#include "tasks/label_map.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fp8q/error.h"
#include "tasks/user_task.h"
#include "tests/support/errors.h"
#include "tests/support/paths.h"

namespace fp8q {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

LabelMap match(const char* task, std::vector<std::string> labels, size_t outputs) {
  ModelConfig config;
  config.path = "config.json";
  config.id2label = std::move(labels);
  return match_labels(require_task(task), config, outputs);
}

std::string mismatch(const char* task, std::vector<std::string> labels, size_t outputs) {
  return test::error_of(ErrorCode::bad_data, [&] { match(task, std::move(labels), outputs); });
}

TEST(LabelMap, NamesDecideTheOrder) {
  EXPECT_THAT(match("sst2", {"negative", "positive"}, 2).logit_of_class, ElementsAre(0, 1));
  EXPECT_THAT(match("sst2", {"POSITIVE", "NEGATIVE"}, 2).logit_of_class, ElementsAre(1, 0));
  EXPECT_THAT(match("rte", {"not entailment", "Entailment"}, 2).logit_of_class, ElementsAre(1, 0));
  EXPECT_THAT(match("mrpc", {"not-equivalent", "equivalent"}, 2).logit_of_class, ElementsAre(0, 1));
  EXPECT_THAT(match("mrpc", {"not_equivalent", "equivalent"}, 2).note, IsEmpty());
}

TEST(LabelMap, NumberedLabelsKeepTheirOrderWithANote) {
  const LabelMap generic = match("sst2", {"LABEL_0", "LABEL_1"}, 2);
  EXPECT_THAT(generic.logit_of_class, ElementsAre(0, 1));
  EXPECT_THAT(generic.note, HasSubstr("0 = negative, 1 = positive"));
  EXPECT_THAT(match("sst2", {"1", "0"}, 2).logit_of_class, ElementsAre(1, 0));
  EXPECT_THAT(match("sst2", {}, 2).note, HasSubstr("does not name its labels"));
}

TEST(LabelMap, WithoutAConfigTheOrderIsNotGuessed) {
  EXPECT_THAT(
      test::error_of(ErrorCode::bad_data, [] { match_labels(require_task("sst2"), {}, 2); }),
      AllOf(HasSubstr("0 = negative, 1 = positive"), HasSubstr("--config PATH"),
            HasSubstr("--labels NAMES")));
  ModelConfig named;
  named.id2label = {"positive", "negative"};
  named.labels_from = "--labels";
  EXPECT_THAT(match_labels(require_task("sst2"), named, 2).logit_of_class, ElementsAre(1, 0));
  named.id2label = {"positive"};
  EXPECT_THAT(
      test::error_of(ErrorCode::bad_data, [&] { match_labels(require_task("sst2"), named, 2); }),
      AllOf(HasSubstr("--labels has 1 labels"), HasSubstr("correct --labels")));
  EXPECT_NO_THROW(match_labels(require_task("stsb"), {}, 1)) << "one number";
  const Task numbered = make_user_task({}, {}, 3);
  EXPECT_THAT(match_labels(numbered, {}, 3).logit_of_class, ElementsAre(0, 1, 2))
      << "the classes are the numbers of the outputs";
}

TEST(LabelMap, Regression) {
  EXPECT_THAT(match("stsb", {"LABEL_0"}, 1).logit_of_class, ElementsAre(0));
  EXPECT_THAT(mismatch("stsb", {"a", "b"}, 2), HasSubstr("2 outputs (0 = a, 1 = b)"));
  EXPECT_THAT(mismatch("sst2", {"score"}, 1),
              HasSubstr("1 output (0 = score), but task sst2 needs"));
}

TEST(LabelMap, ThreeClassesInAnyOrder) {
  for (const char* task : {"mnli", "mnli-mm", "ax"}) {
    EXPECT_THAT(match(task, {"CONTRADICTION", "NEUTRAL", "ENTAILMENT"}, 3).logit_of_class,
                ElementsAre(2, 1, 0));
    EXPECT_THAT(match(task, {"LABEL_0", "LABEL_1", "LABEL_2"}, 3).note,
                HasSubstr("0 = entailment, 1 = neutral, 2 = contradiction"));
    EXPECT_THAT(mismatch(task, {"entailment", "not_entailment"}, 2), HasSubstr("2 outputs"));
    EXPECT_THAT(mismatch(task, {"negative", "neutral", "positive"}, 3), HasSubstr("0 = negative"));
  }
  EXPECT_THAT(match("wnli", {"not_entailment", "entailment"}, 2).logit_of_class, ElementsAre(0, 1));
  EXPECT_THAT(match("qqp", {"duplicate", "not_duplicate"}, 2).logit_of_class, ElementsAre(1, 0));
}

TEST(LabelMap, ModelsWithSeveralLabelsAtOnceAreNotScored) {
  ModelConfig config;
  config.path = "config.json";
  config.problem_type = "multi_label_classification";
  test::expect_error(ErrorCode::bad_data, "\"problem_type\" is multi_label_classification",
                     [&] { match_labels(require_task("sst2"), config, 2); });
  config.problem_type = "single_label_classification";
  EXPECT_EQ(match_labels(require_task("sst2"), config, 2).logit_of_class.size(), 2u);
}

TEST(LabelMap, LabelsOfAnotherTaskAreRefused) {
  EXPECT_THAT(mismatch("sst2", {"not_equivalent", "equivalent"}, 2),
              HasSubstr("0 = not_equivalent, 1 = equivalent, but task sst2 needs 0 = negative"));
  EXPECT_THAT(mismatch("sst2", {"negative", "neg"}, 2), HasSubstr("--task"));
  EXPECT_THAT(mismatch("sst2", {"negative", "neutral", "positive"}, 3), HasSubstr("3 outputs"));
}

TEST(ModelConfig, ReadsWhatIsThere) {
  const test::TemporaryFolder folder;
  const auto path = folder.write("config.json", R"({"model_type": "bert", "finetuning_task": null,
    "id2label": {"1": "positive", "0": "negative"}, "max_position_embeddings": 512})");
  const ModelConfig config = read_model_config(path);
  EXPECT_EQ(config.path, path);
  EXPECT_FALSE(config.finetuning_task);
  EXPECT_THAT(config.id2label, ElementsAre("negative", "positive"));
}

TEST(ModelConfig, LabelsAreThoseOfEitherMap) {
  const test::TemporaryFolder folder;
  const auto labels = [&](const std::string& members) {
    return read_model_config(folder.write("config.json", "{" + members + "}")).labels();
  };
  EXPECT_THAT(labels(R"("label2id": {"positive": 0, "negative": 1})"),
              ElementsAre("positive", "negative"));
  EXPECT_THAT(labels(R"("label2id": {"positive": "1", "negative": "0"})"),
              ElementsAre("negative", "positive"));
  EXPECT_THAT(labels(R"("id2label": {"0": "b", "1": "a"}, "label2id": {"a": 1, "b": 0})"),
              ElementsAre("b", "a"));
  // One that only numbers the labels says nothing against names.
  EXPECT_THAT(
      labels(R"("id2label": {"0": "b", "1": "a"}, "label2id": {"LABEL_0": 0, "LABEL_1": 1})"),
      ElementsAre("b", "a"));
  EXPECT_THAT(
      labels(R"("id2label": {"0": "LABEL_0", "1": "LABEL_1"}, "label2id": {"a": 1, "b": 0})"),
      ElementsAre("b", "a"));
  const auto refused = [&](const std::string& members) {
    return test::error_of(ErrorCode::bad_data, [&] { labels(members); });
  };
  EXPECT_THAT(refused(R"("id2label": {"0": "a", "1": "b"}, "label2id": {"a": 1, "b": 0})"),
              HasSubstr("label2id: contradicts \"id2label\""));
  EXPECT_THAT(refused(R"("label2id": {"a": 0, "b": 0})"), HasSubstr("the numbers 0 to 1"));
  EXPECT_THAT(refused(R"("label2id": {"a": 1, "b": 2})"), HasSubstr("found \"2\""));
  EXPECT_THAT(refused(R"("label2id": {"a": 0.5, "b": 1})"), HasSubstr("found \"0.5\""));
}

TEST(ModelConfig, OddFieldsStopOnlyThoseWhoNeedThem) {
  const test::TemporaryFolder folder;
  const ModelConfig config = read_model_config(folder.write("config.json", R"({"model_type": 5,
    "architectures": {}, "finetuning_task": [1], "problem_type": false, "vocab_size": "many",
    "num_labels": -1, "id2label": ["a"]})"));
  EXPECT_FALSE(config.finetuning_task);
  EXPECT_FALSE(config.problem_type);
  EXPECT_THAT(config.id2label, IsEmpty());
  EXPECT_THAT(match_labels(require_task("stsb"), config, 1).logit_of_class, ElementsAre(0));
  test::expect_error(ErrorCode::bad_data, "config.json: id2label: expected an object",
                     [&] { match_labels(require_task("sst2"), config, 2); });
}

TEST(ModelConfig, BadLabelsAndFilesAreNamed) {
  const test::TemporaryFolder folder;
  const auto message = [&](const std::string& content) {
    return test::error_of(ErrorCode::bad_data, [&] {
      read_model_config(folder.write("config.json", content)).labels();
    });
  };
  EXPECT_THAT(message(R"({"id2label": {"0": "a", "2": "b"}})"),
              HasSubstr("expected the numbers 0 to 1"));
  EXPECT_THAT(message(R"({"id2label": {"0": "a", "00": "b"}})"), HasSubstr("found \"0"));
  EXPECT_THAT(message("[]"), HasSubstr("expected an object"));
  EXPECT_THAT(message("nonsense"), HasSubstr("not valid JSON"));
  EXPECT_THAT(message(R"({"vocab_size": 1, "vocab_size": 2})"), HasSubstr("stands twice"));
  EXPECT_THAT(message(std::string(500, '[')), HasSubstr("nested"));
}

}  // namespace
}  // namespace fp8q
