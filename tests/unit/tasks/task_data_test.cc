// Tests finding and reading the data of tasks.
#include "tasks/task_data.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <ostream>

#include "base/error.h"
#include "base/file.h"
#include "tasks/lines.h"
#include "tasks/task_reader.h"
#include "tests/support/errors.h"
#include "tests/support/paths.h"

namespace fp8q {
namespace {

using test::error_of;
using testing::HasSubstr;
using testing::IsEmpty;

std::string table_error(const char* task, std::string_view content) {
  return error_of(ErrorCode::bad_data,
                  [&] { read_task_table(require_task(task), "f.tsv", content); });
}

class TaskData : public testing::Test {
 protected:
  void SetUp() override { unsetenv("FP8Q_DATA"); }
  void TearDown() override { unsetenv("FP8Q_DATA"); }

  DataRequest request(const fs::path& data, const std::string& split = "dev") const {
    return {.data = data, .split = split, .default_folder = folder_.path() / "glue_data"};
  }
  DataRequest request() const { return {.default_folder = folder_.path() / "glue_data"}; }

  test::TemporaryFolder folder_;
};

constexpr const char* kSst2 = "sentence\tlabel\ngood \t1\nbad\t0\n";

TEST(TaskTable, ReadsEveryLayout) {
  const Dataset sst2 =
      read_task_table(require_task("sst2"), "f", "\xEF\xBB\xBFsentence\tlabel\r\na \"b\t1\r\n");
  ASSERT_EQ(sst2.examples.size(), 1u);
  EXPECT_EQ(sst2.examples[0].text, "a \"b");
  EXPECT_EQ(sst2.examples[0].gold, 1);
  const Dataset cola =
      read_task_table(require_task("cola"), "f", "gj04\t0\t*\tBad it.\ngj04\t1\t\tGood.");
  ASSERT_EQ(cola.examples.size(), 2u);
  EXPECT_EQ(cola.examples[0].text, "Bad it.");
  EXPECT_EQ(cola.examples[1].gold, 1);
  const Dataset rte = read_task_table(
      require_task("rte"), "f", "index\tsentence1\tsentence2\tlabel\n0\ta\tb\tnot_entailment\n");
  EXPECT_EQ(rte.examples[0].pair, "b");
  EXPECT_EQ(rte.examples[0].gold, 1);
}

// Holds one example of each official layout whose file is not at hand.
struct Layout {
  const char* task;
  const char* file;  // in a GLUE root
  const char* header;
  const char* row;
  double gold;
};

void PrintTo(const Layout& l, std::ostream* out) { *out << l.file; }

class OfficialLayouts : public testing::TestWithParam<Layout> {};

constexpr const char* kMnliHeader =
    "index\tpromptID\tpairID\tgenre\tsentence1_binary_parse\tsentence2_binary_parse\t"
    "sentence1_parse\tsentence2_parse\tsentence1\tsentence2\tlabel1\tlabel2\tlabel3\tlabel4\t"
    "label5\tgold_label";

TEST_P(OfficialLayouts, AreRead) {
  const Layout& l = GetParam();
  const test::TemporaryFolder folder;
  const fs::path file =
      folder.write(std::string("glue/") + l.file, fmt::format("{}\n{}\n", l.header, l.row));
  const Dataset data = load_dataset(require_task(l.task), {.data = folder.path() / "glue"});
  EXPECT_EQ(data.path, file);
  EXPECT_EQ(data.split, "dev");
  ASSERT_EQ(data.examples.size(), 1u);
  EXPECT_EQ(data.examples[0].text, "first text");
  EXPECT_EQ(data.examples[0].pair, "second text");
  EXPECT_EQ(data.examples[0].gold, l.gold);
}

INSTANTIATE_TEST_SUITE_P(
    Glue, OfficialLayouts,
    testing::Values(
        Layout{"qqp", "QQP/dev.tsv", "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate",
               "7\t1\t2\tfirst text\tsecond text\t1", 1},
        Layout{"mnli", "MNLI/dev_matched.tsv", kMnliHeader,
               "0\t6\t6n\tfiction\tb1\tb2\tp1\tp2\tfirst text\tsecond text\tneutral\tentailment\t"
               "neutral\tneutral\tneutral\tneutral",
               1},
        Layout{"mnli-mm", "MNLI/dev_mismatched.tsv", kMnliHeader,
               "0\t6\t6c\tverbatim\tb1\tb2\tp1\tp2\tfirst text\tsecond text\tneutral\tentailment\t"
               "neutral\tneutral\tneutral\tcontradiction",
               2},
        Layout{"wnli", "WNLI/dev.tsv", "index\tsentence1\tsentence2\tlabel",
               "0\tfirst text\tsecond text\t0", 0},
        Layout{
            "ax", "AX/diagnostic-full.tsv",
            "Lexical Semantics\tPredicate-Argument Structure\tLogic\tKnowledge\tDomain\tPremise\t"
            "Hypothesis\tLabel",
            "\t\tNegation\t\tArtificial\tfirst text\tsecond text\tcontradiction", 2}));

TEST(TaskTable, UnlabeledOfficialTestFilesAreRecognized) {
  EXPECT_FALSE(read_task_table(require_task("sst2"), "f", "index\tsentence\n0\ta\n").labeled);
  EXPECT_FALSE(read_task_table(require_task("cola"), "f", "index\tsentence\n0\ta\n").labeled);
}

TEST(TaskTable, BlankLinesAreSkippedAndKeepTheirNumbers) {
  const Dataset data = read_task_table(require_task("sst2"), "f",
                                       "\r\nsentence\tlabel\r\n\r\ngood\t1\r\n \t\nbad\t0\n\n\n");
  ASSERT_EQ(data.examples.size(), 2u);
  EXPECT_EQ(data.examples[1].text, "bad");
  EXPECT_THAT(table_error("sst2", "sentence\tlabel\n\n\nx\t7\n"),
              HasSubstr("line 4: expected a label"));
}

TEST(TaskTable, OnlyUtf8IsText) {
  EXPECT_THAT(table_error("sst2", "sentence\tlabel\nun caf\xe9\t1\n"),
              HasSubstr("f.tsv: line 2: byte 7 (0xe9) is not UTF-8"));
  EXPECT_THAT(table_error("sst2", std::string("\xff\xfes\0", 4)), HasSubstr("UTF-16"));
  test::expect_error(ErrorCode::bad_data, "line 2: byte 13 (0xff)",
                     [] { read_task_lines(require_task("sst2"), "f", "\n{\"sentence\":\xff}\n"); });
}

TEST(TaskTable, ShortRowsOfQqpAreLeftOutAndCounted) {
  const std::string header = "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n";
  const Dataset data =
      read_task_table(require_task("qqp"), "qqp.tsv",
                      header + "1\t2\t3\twhat\twho\t0\n\tis it? no\t0\n4\t5\t6\twhat\twho\t1\n");
  ASSERT_EQ(data.examples.size(), 2u);
  EXPECT_EQ(data.examples[1].gold, 1);
  EXPECT_THAT(data.note, HasSubstr("qqp.tsv: rows with too few columns: 1"));
  EXPECT_THAT(table_error("qqp", header + "1\t2\t3\ta\tb\t0\tmore\n"), HasSubstr("found 7"));
  EXPECT_THAT(table_error("qqp", header + "1\t2\n"), HasSubstr("expected examples"));
}

TEST_F(TaskData, QuotedFieldsOfOnesOwnTableAreNoticed) {
  const Task& sst2 = require_task("sst2");
  const auto note = [&](const std::string& name, const std::string& rows) {
    return load_dataset(sst2, request(folder_.write(name, "sentence\tlabel\n" + rows))).note;
  };
  EXPECT_THAT(note("own.tsv", "\"a\"\t1\n\"b\"\t0\n"), HasSubstr("2 of 2 texts stand in quotes"));
  EXPECT_THAT(note("own.tsv", "\"he said \"\"no\"\"\"\t1\nb\t0\nc\t0\n"), HasSubstr("1 of 3"));
  EXPECT_THAT(note("own.tsv", "\"a\" and \"b\"\t1\nb \"c\"\t0\n\"d\"\t0\n"), IsEmpty());
  EXPECT_THAT(note("dev.tsv", "\"a\"\t1\n\"b\"\t0\n"), IsEmpty())
      << "official files have quotations";
}

TEST(TaskTable, ErrorsNameTheLineAndWhatWasExpected) {
  EXPECT_THAT(table_error("sst2", ""), HasSubstr("f.tsv: line 1: expected examples"));
  EXPECT_THAT(table_error("sst2", "sentence\tlabel\n"),
              HasSubstr("f.tsv: line 2: expected examples"));
  EXPECT_THAT(table_error("sst2", "sentence\tlabel\na\t1\t2\n"),
              HasSubstr("line 2: expected 2 tab-separated columns, found 3"));
  EXPECT_THAT(
      table_error("sst2", "sentence\tlabel\na\t1\nb\t2\n"),
      HasSubstr("line 3: expected a label of task sst2 (0 = negative, 1 = positive), found \"2\""));
  EXPECT_THAT(table_error("sst2", "sentence\tlabel\na\t-1\n"), HasSubstr("not published"));
  EXPECT_THAT(table_error("sst2", "text\tclass\n"),
              HasSubstr("line 1: expected the tab-separated column"));
  for (const char* exported : {"id,sentence,label\n", "\"sentence\"\t\"label\"\n"})
    EXPECT_THAT(table_error("sst2", exported), HasSubstr("with tabs and without quotes"));
  EXPECT_THAT(table_error("cola", "a\tb\tc\n"), HasSubstr("or 4 columns without a header"));
  EXPECT_THAT(table_error("stsb", "sentence1\tsentence2\tscore\na\tb\tnan\n"),
              HasSubstr("line 2: expected a number as score, found \"nan\""));
  EXPECT_THAT(table_error("sst2", "sentence\tlabel\n" + std::string(kMaxLineBytes + 1, 'x')),
              HasSubstr("line 2: has"));
}

TEST_F(TaskData, FileTaskFolderAndRootAreUnderstood) {
  const fs::path file = folder_.write("glue/SST-2/dev.tsv", kSst2);
  const Task& sst2 = require_task("sst2");
  for (const fs::path& path : {file, file.parent_path(), file.parent_path().parent_path()}) {
    const Dataset data = load_dataset(sst2, request(path));
    EXPECT_EQ(data.path, file);
    EXPECT_EQ(data.split, "dev");
    EXPECT_EQ(data.sha256.size(), 64u);
    EXPECT_EQ(data.examples.size(), 2u);
    EXPECT_THAT(data.note, IsEmpty());
  }
  setenv("FP8Q_DATA", file.parent_path().c_str(), 1);
  EXPECT_EQ(load_dataset(sst2, request()).path, file);
}

TEST_F(TaskData, LabeledTestStandsInForDev) {
  folder_.write("glue/SST-2/test.tsv", kSst2);
  const Dataset data = load_dataset(require_task("sst2"), request(folder_.path() / "glue"));
  EXPECT_EQ(data.split, "test");
  EXPECT_THAT(data.note, HasSubstr("has no dev.tsv; scored on its labeled test.tsv"));
}

TEST_F(TaskData, UnlabeledFilesCannotBeScored) {
  const fs::path file = folder_.write("test.tsv", "index\tsentence\n0\ta\n");
  EXPECT_THAT(
      error_of(ErrorCode::bad_data, [&] { load_dataset(require_task("sst2"), request(file)); }),
      HasSubstr("published without labels"));
}

TEST_F(TaskData, RefusedTestFilesNameTheLabeledOne) {
  const auto refusal = [&](const char* task, const char* file, const char* header) {
    const fs::path path =
        folder_.write(std::string("glue/") + file, std::string(header) + "\n0\ta\tb\n");
    return error_of(ErrorCode::bad_data, [&] {
      load_dataset(require_task(task), request(folder_.path() / "glue", "test"));
    });
  };
  EXPECT_THAT(refusal("qqp", "QQP/test.tsv", "id\tquestion1\tquestion2"),
              HasSubstr("no column \"is_duplicate\""));
  EXPECT_THAT(refusal("mnli-mm", "MNLI/test_mismatched.tsv", "index\tsentence1\tsentence2"),
              HasSubstr("Score MNLI/dev_mismatched.tsv"));
  EXPECT_THAT(refusal("ax", "AX/AX.tsv", "index\tsentence1\tsentence2"),
              HasSubstr("Score AX/diagnostic-full.tsv"));
  EXPECT_THAT(error_of(ErrorCode::bad_data,
                       [&] { load_dataset(require_task("ax"), request(folder_.path() / "glue")); }),
              HasSubstr("published without labels"));
}

TEST_F(TaskData, BuiltInSampleOnlyWhereNothingWasNamed) {
  const Dataset data = load_dataset(require_task("sst2"), request());
  EXPECT_TRUE(data.builtin);
  EXPECT_GE(data.examples.size(), 300u);
  EXPECT_THAT(data.note, HasSubstr("built-in sample"));
  const auto fails = [&](const char* task, const DataRequest& r) {
    return error_of(ErrorCode::bad_data, [&] { load_dataset(require_task(task), r); });
  };
  EXPECT_THAT(fails("mrpc", request()), HasSubstr("scripts/fetch_glue.sh"));
  EXPECT_THAT(fails("sst2", request(folder_.path())), HasSubstr("neither a folder SST-2"));
  error_of(ErrorCode::file, [&] { load_dataset(require_task("sst2"), request("/nonexistent")); });
  error_of(ErrorCode::usage,
           [&] { load_dataset(require_task("sst2"), request(folder_.path(), "validation")); });
}

TEST_F(TaskData, CalibrationTakesAnEvenSpreadOfTrainingText) {
  std::string table = "sentence\tlabel\n";
  for (int i = 0; i < 100; ++i) table += fmt::format("s{}\t{}\n", i, i % 2);
  folder_.write("glue/SST-2/train.tsv", table);
  CalibrationRequest wanted{.task = find_task("sst2"), .data = folder_.path() / "glue", .count = 4};
  const Dataset data = load_calibration_text(wanted);
  ASSERT_EQ(data.examples.size(), 4u);
  EXPECT_EQ(data.examples[0].text, "s12");
  EXPECT_EQ(data.examples[3].text, "s87");
  EXPECT_THAT(data.note, IsEmpty());
  wanted.count = 1000;
  EXPECT_THAT(load_calibration_text(wanted).note,
              HasSubstr("1000 examples were asked for, there are 100"));
  wanted.task = nullptr;
  EXPECT_THAT(error_of(ErrorCode::usage, [&] { load_calibration_text(wanted); }),
              HasSubstr("--task"));
}

TEST_F(TaskData, CalibrationFromPlainText) {
  const fs::path file = folder_.write("text.txt", "one\n\ntwo\tpair\r\n");
  const Dataset data = load_calibration_text({.data = file, .count = 2});
  ASSERT_EQ(data.examples.size(), 2u);
  EXPECT_FALSE(data.examples[0].pair);
  EXPECT_EQ(data.examples[1].pair, "pair");
  EXPECT_THAT(
      error_of(ErrorCode::bad_data,
               [&] { load_calibration_text({.data = folder_.write("bad.txt", "ok\na\tb\tc\n")}); }),
      HasSubstr("bad.txt: line 2: expected a text, or two"));
  error_of(ErrorCode::bad_data,
           [&] { load_calibration_text({.data = folder_.write("e.txt", "\n")}); });
}

TEST_F(TaskData, CalibrationFallsBackToTheBuiltInText) {
  CalibrationRequest wanted{.task = find_task("mrpc"),
                            .default_folder = folder_.path() / "glue_data"};
  const Dataset data = load_calibration_text(wanted);
  EXPECT_TRUE(data.builtin);
  EXPECT_FALSE(data.labeled);
  EXPECT_EQ(data.examples.size(), 128u);
  EXPECT_THAT(data.note, HasSubstr("single ones while task mrpc has pairs"));
}

// Describes the official files by their known sizes and class balance.
struct Official {
  const char* task;
  const char* split;
  size_t examples;
  double gold_sum;
};

// Prints the name of the test in lists.
void PrintTo(const Official& o, std::ostream* out) { *out << o.task << ' ' << o.split; }

class OfficialFiles : public testing::TestWithParam<Official> {};

TEST_P(OfficialFiles, AreRead) {
  const fs::path root = test::shared_path("data/glue");
  FP8Q_SKIP_WITHOUT(root);
  const Official& o = GetParam();
  const Dataset data = load_dataset(require_task(o.task), {.data = root, .split = o.split});
  EXPECT_EQ(data.examples.size(), o.examples);
  double sum = 0;
  for (const Example& e : data.examples) {
    sum += e.gold;
    EXPECT_FALSE(e.text.empty());
    EXPECT_EQ(e.pair.has_value(), require_task(o.task).has_pair());
  }
  EXPECT_NEAR(sum, o.gold_sum, 1e-6);
}

INSTANTIATE_TEST_SUITE_P(
    Glue, OfficialFiles,
    testing::Values(Official{"sst2", "dev", 872, 444}, Official{"sst2", "train", 67349, 37569},
                    Official{"cola", "dev", 1043, 719}, Official{"cola", "train", 8551, 6023},
                    Official{"mrpc", "test", 1725, 1147}, Official{"mrpc", "train", 4076, 2753},
                    Official{"rte", "dev", 277, 131}, Official{"rte", "train", 2490, 1241},
                    Official{"qnli", "dev", 5463, 2761}, Official{"stsb", "dev", 1500, 3545.861333},
                    Official{"stsb", "test", 1379, 3596.317},
                    Official{"stsb", "train", 5749, 15528.043397}));

}  // namespace
}  // namespace fp8q
