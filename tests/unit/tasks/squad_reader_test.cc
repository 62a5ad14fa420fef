#include "tasks/squad_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "tasks/task_data.h"
#include "tests/support/errors.h"
#include "tests/support/paths.h"

namespace fp8q {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string file_with(const std::string& questions) {
  return R"({"version": "1.1", "data": [{"title": "T", "paragraphs": [{"context": "Some text.",
             "qas": [)" +
         questions + "]}]}]}";
}

constexpr const char* kQuestion =
    R"({"id": "q1", "question": " What? ", "answers": [{"answer_start": 0, "text": "Some"},
        {"answer_start": 5, "text": "text"}]})";
constexpr const char* kImpossible =
    R"({"id": "q2", "question": "Why?", "answers": [], "is_impossible": true,
        "plausible_answers": [{"answer_start": 0, "text": "Some"}]})";

Dataset read(const char* task, const std::string& content) {
  return read_squad(require_task(task), "f.json", content);
}

std::string error_in(const char* task, const std::string& content) {
  return test::error_of(ErrorCode::bad_data, [&] { read(task, content); });
}

TEST(SquadReader, ReadsQuestionsWithAllTheirAnswers) {
  const Dataset data = read("squad", file_with(kQuestion));
  ASSERT_EQ(data.examples.size(), 1u);
  const Example& e = data.examples[0];
  EXPECT_TRUE(data.labeled);
  EXPECT_EQ(e.id, "q1");
  EXPECT_EQ(e.text, "What?");
  EXPECT_EQ(e.pair, "Some text.");
  EXPECT_THAT(e.answers, ElementsAre("Some", "text"));
}

TEST(SquadReader, QuestionsMayBeNumbered) {
  const std::string question = R"({"id": 17, "question": "W?", "answers": [{"text": "Some"}]})";
  EXPECT_EQ(read("squad", file_with(question)).examples[0].id, "17");
  EXPECT_THAT(error_in("squad", file_with(R"({"id": [], "question": "W?"})")),
              HasSubstr("qas[0].id: expected a string"));
}

TEST(SquadReader, ImpossibleQuestionsHaveNoAnswer) {
  const std::string content = file_with(std::string(kQuestion) + "," + kImpossible);
  EXPECT_THAT(read("squad2", content).examples[1].answers, IsEmpty());
  EXPECT_THAT(error_in("squad", content),
              HasSubstr("f.json: data[0].paragraphs[0].qas[1]: the question has no answer"));
  EXPECT_THAT(error_in("squad", content), HasSubstr("--task squad2"));
}

TEST(SquadReader, QuestionsWithoutAnswersMakeAFileUnlabeled) {
  EXPECT_FALSE(read("squad", file_with(R"({"id": "q", "question": "W?"})")).labeled);
}

TEST(SquadReader, ErrorsNameThePlace) {
  EXPECT_THAT(error_in("squad", "{"), HasSubstr("f.json"));
  EXPECT_THAT(error_in("squad", "{}"), HasSubstr("\"data\" is missing"));
  EXPECT_THAT(error_in("squad", file_with(R"({"id": "q", "id": "r"})")), HasSubstr("stands twice"));
  EXPECT_THAT(error_in("squad", std::string(500, '[')), HasSubstr("nested"));
  EXPECT_THAT(error_in("squad", R"({"data": []})"), HasSubstr("found none"));
  EXPECT_THAT(error_in("squad", file_with(R"({"id": false, "question": "W?", "answers": []})")),
              HasSubstr("qas[0].id: expected a string, found false"));
  EXPECT_THAT(error_in("squad", file_with(R"({"id": "q", "question": "W?", "answers": []})")),
              HasSubstr("qas[0].answers: has no answer"));
  EXPECT_THAT(error_in("squad", file_with(R"({"id": "q", "answers": []})")),
              HasSubstr("qas[0]: \"question\" is missing"));
}

TEST(SquadReader, FilesAreFoundUnderTheirOfficialNames) {
  const test::TemporaryFolder folder;
  folder.write("root/squad/dev.json", file_with(kQuestion));
  const auto path_of = [&](const char* task, const char* data) {
    return load_dataset(require_task(task), {.data = folder.path() / data}).path.filename();
  };
  EXPECT_EQ(path_of("squad", "root"), "dev.json");
  folder.write("root/squad/dev-v1.1.json", file_with(kQuestion));
  folder.write("root/squad/dev-v2.0.json", file_with(kImpossible));
  EXPECT_EQ(path_of("squad", "root/squad"), "dev-v1.1.json");
  EXPECT_EQ(path_of("squad2", "root"), "dev-v2.0.json");
  const Dataset given =
      load_dataset(require_task("squad"), {.data = folder.path() / "root/squad/dev-v1.1.json"});
  EXPECT_EQ(given.split, "dev");
}

TEST(SquadReader, CalibrationTakesTrainingQuestions) {
  const test::TemporaryFolder folder;
  folder.write("squad/train-v1.1.json", file_with(kQuestion));
  const CalibrationRequest request{
      .task = &require_task("squad"), .data = folder.path(), .count = 1};
  EXPECT_EQ(load_calibration_text(request).examples[0].pair, "Some text.");
  EXPECT_THROW(load_calibration_text({.data = folder.path() / "squad/train-v1.1.json"}), Error);
}

TEST(SquadReader, ReadsTheFilesAtHand) {
  const std::filesystem::path root = test::shared_path("data");
  FP8Q_SKIP_WITHOUT(root / "squad");
  const Dataset dev = load_dataset(require_task("squad"), {.data = root});
  EXPECT_EQ(dev.examples.size(), 296u);
  const Dataset train = load_dataset(require_task("squad"), {.data = root, .split = "train"});
  EXPECT_EQ(train.examples.size(), 894u);
}

}  // namespace
}  // namespace fp8q
