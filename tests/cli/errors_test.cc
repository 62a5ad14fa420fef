// Wrong inputs give a message that names the file and the remedy, the documented exit code, and
// leave nothing behind.

#include <gmock/gmock.h>

#include <algorithm>
#include <fstream>

#include "tests/cli/demo_folder.h"

namespace fp8q::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class Errors : public DemoFolder {
 protected:
  void expect(const std::vector<std::string>& arguments, int code,
              const std::vector<std::string>& words) const {
    const ProcessResult r = in_folder(arguments);
    EXPECT_EQ(r.exit_code, code) << testing::PrintToString(arguments) << "\n" << r.err;
    EXPECT_EQ(r.out, "") << "nothing but errors";
    for (const auto& word : words)
      EXPECT_THAT(r.err, HasSubstr(word)) << testing::PrintToString(arguments);
    EXPECT_LE(std::ranges::count(r.err, '\n'), 3) << r.err;
  }
  void write(const std::string& name, const std::string& content) const {
    fs::create_directories((folder() / name).parent_path());
    std::ofstream(folder() / name, std::ios::binary) << content;
  }
};

TEST_F(Errors, Usage) {
  EXPECT_EQ(in_folder({}).exit_code, 2);
  expect({"frobnicate"}, 2, {"frobnicate", "--help"});
  EXPECT_EQ(in_folder({"calibrate"}).exit_code, 2);
  EXPECT_EQ(in_folder({"calibrate", "model.onnx", "--no-such-option"}).exit_code, 2);
  EXPECT_EQ(in_folder({"convert", "--format", "e9m9"}).exit_code, 2);
  EXPECT_EQ(in_folder({"eval", "--task", "nothing"}).exit_code, 2);
  EXPECT_EQ(in_folder({"eval", "model.onnx"}).exit_code, 2) << "--task is required";
  EXPECT_EQ(in_folder({"calibrate", "model.onnx", "--seed", "3"}).exit_code, 2)
      << "--seed without --random-data would be unused";
}

TEST_F(Errors, NoWorkspace) {
  expect({"convert"}, 2, {"fp8q calibrate", "workspace"});
  expect({"eval", "--task", "sst2"}, 2, {"fp8q calibrate", "workspace"});
  write(".fp8q/workspace.json", "{broken");
  expect({"convert"}, 5, {"workspace.json", "calibrate again"});
  write(".fp8q/workspace.json",
        R"({"schema": "fp8q/workspace/1", "model": "model.onnx", "model": "other.onnx"})");
  expect({"convert"}, 5, {"workspace.json", "\"model\" stands twice"});
  write(".fp8q/workspace.json", R"({"schema": "fp8q/workspace/1", "model": ""})");
  expect({"convert"}, 5, {"workspace.json", "model: names no model"});
}

TEST_F(Errors, BadModels) {
  expect({"inspect", "absent.onnx"}, 6, {"absent.onnx"});
  write("text.onnx", "<!DOCTYPE html><html>not a model</html>");
  expect({"calibrate", "text.onnx"}, 3, {"text.onnx"});
  write("empty.onnx", "");
  expect({"calibrate", "empty.onnx"}, 3, {"empty.onnx"});
  const std::string whole = bytes("model.onnx");
  write("truncated.onnx", whole.substr(0, whole.size() / 2));
  expect({"calibrate", "truncated.onnx"}, 3, {"truncated.onnx"});
  fs::create_directory(folder() / "hollow");
  expect({"inspect", "hollow"}, 6, {"hollow", "model.onnx"});
}

TEST_F(Errors, MissingAndWrongVocabulary) {
  fs::remove(folder() / "tokenizer.json");
  fs::remove(folder() / "vocab.txt");
  expect({"calibrate", "model.onnx"}, 5, {"tokenizer", "--tokenizer"});
  std::string vocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
  for (int i = 0; i < 9000; ++i) vocabulary += "word" + std::to_string(i) + "\n";
  write("vocab.txt", vocabulary);
  expect({"calibrate", "model.onnx"}, 5, {"9005", "8192"});
}

TEST_F(Errors, WrongTaskForTheModel) {
  write("glue/MRPC/test.tsv",
        "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\n1\t1\t2\tA man runs.\tA man is running.\n");
  expect({"eval", "model.onnx", "--task", "mrpc", "--data", "glue"}, 5, {"negative", "equivalent"});
  write("glue/STS-B/dev.tsv",
        "index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore\n"
        "0\tm\tM\t2012\t0\tn\tn\tA.\tB.\t5.0\n");
  expect({"eval", "model.onnx", "--task", "stsb", "--data", "glue"}, 5, {"model"});
}

TEST_F(Errors, BadData) {
  write("empty.tsv", "");
  expect({"eval", "model.onnx", "--task", "sst2", "--data", "empty.tsv"}, 5, {"empty.tsv"});
  write("bad.tsv", "sentence\tlabel\nfine film\t1\nno label here\n");
  expect({"eval", "model.onnx", "--task", "sst2", "--data", "bad.tsv"}, 5, {"bad.tsv", "line 3"});
  write("label.tsv", "sentence\tlabel\nfine film\t7\n");
  expect({"eval", "model.onnx", "--task", "sst2", "--data", "label.tsv"}, 5,
         {"label.tsv", "line 2", "7"});
  expect({"eval", "model.onnx", "--task", "sst2", "--data", "nowhere"}, 6, {"nowhere"});
  expect({"eval", "model.onnx", "--task", "mrpc"}, 5, {"fetch_glue.sh"});
}

TEST_F(Errors, OutputThatCannotBeWritten) {
  expect({"calibrate", "model.onnx", "-o", "/nonexistent/x.json"}, 6, {"/nonexistent/x.json"});
  write("notes.txt", "mine");
  expect({"calibrate", "model.onnx", "-o", "notes.txt"}, 6, {"notes.txt", "--force"});
  fs::create_directory(folder() / "sub");
  expect({"calibrate", "model.onnx", "-o", "sub", "--force"}, 6, {"sub"});
  expect({"calibrate", "model.onnx", "-o", "model.onnx", "--force"}, 2, {"model.onnx"});
  EXPECT_FALSE(fs::exists(folder() / ".fp8q")) << "a failed calibration leaves no workspace";
}

// This also applies to inputs that were found rather than named, and whatever --force says.
TEST_F(Errors, InputsAreNeverOverwritten) {
  ASSERT_EQ(in_folder({"calibrate", "model.onnx", "--examples", "8", "-q"}).exit_code, 0);
  ASSERT_EQ(in_folder({"convert", "-q"}).exit_code, 0);
  write("s.txt", "A sentence.\n");
  const std::vector<std::string> eval = {"eval", "model.e4m3.onnx", "--task",
                                         "sst2", "--limit",         "2"};
  const auto with = [](std::vector<std::string> arguments, const std::vector<std::string>& more) {
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  };
  expect({"calibrate", ".", "-o", "tokenizer.json", "--force"}, 2, {"tokenizer.json"});
  expect({"calibrate", ".", "--data", "s.txt", "-o", "s.txt", "--force"}, 2, {"s.txt"});
  expect({"convert", ".", "-o", "config.json", "--force"}, 2, {"config.json"});
  expect({"convert", ".", "-o", "model.calib.json", "--force"}, 2, {"model.calib.json"});
  expect(with(eval, {"--predictions", "model.onnx", "--force"}), 2, {"model.onnx"});
  expect(with(eval, {"--predictions", "vocab.txt", "--force"}), 2, {"vocab.txt"});
  expect(with(eval, {"--json", "model.onnx"}), 2, {"model.onnx"});
  expect(with(eval, {"--log-file", "model.onnx"}), 6, {"model.onnx"});
  expect(with(eval, {"--log-file", "absent/log"}), 6, {"there is no folder absent"});
  EXPECT_FALSE(fs::exists(folder() / "absent"));
}

TEST_F(Errors, AWorkspaceThatCannotBeWrittenIsOnlyANote) {
  write(".fp8q", "a file where the folder should be");
  const ProcessResult r = in_folder({"calibrate", "model.onnx", "--examples", "4"});
  EXPECT_EQ(r.exit_code, 0) << r.err;
  EXPECT_THAT(r.out, HasSubstr("no workspace"));
}

TEST_F(Errors, StandardOutputThatCannotBeWritten) {
  const ProcessResult r =
      run_fp8q({"inspect", "model.onnx"}, {.folder = folder(), .out = "/dev/full"});
  EXPECT_EQ(r.exit_code, 6) << r.err;
}

TEST_F(Errors, AFileLargerThanTheUserMayWrite) {
  ASSERT_EQ(in_folder({"calibrate", "model.onnx", "--examples", "2", "-q"}).exit_code, 0);
  const ProcessResult r = run_fp8q({"convert"}, {.folder = folder(), .file_size = 1 << 20});
  EXPECT_EQ(r.exit_code, 6) << r.err;
  EXPECT_THAT(r.err, AllOf(HasSubstr("model.e4m3.onnx"), HasSubstr("File too large")));
  for (const auto& entry : fs::directory_iterator(folder()))
    EXPECT_THAT(entry.path().string(), Not(HasSubstr(".e4m3.")));
}

TEST_F(Errors, ConvertChecksItsInputs) {
  ASSERT_EQ(in_folder({"calibrate", "model.onnx", "--examples", "8", "-q"}).exit_code, 0);
  expect({"convert", "model.onnx", "-o", "model.onnx", "--force"}, 2, {"model.onnx"});
  ASSERT_EQ(in_folder({"convert", "-q"}).exit_code, 0);
  expect({"convert", "model.e4m3.onnx", "--calib", "model.calib.json"}, 4,
         {"model.e4m3.onnx", "quantized"});
  expect({"calibrate", "model.e4m3.onnx"}, 4, {"model.e4m3.onnx", "quantized"});
  std::string other = bytes("model.onnx");
  fs::copy_file(folder() / "model.e4m3.onnx", folder() / "other.onnx");
  write("damaged.calib.json", bytes("model.calib.json").substr(0, 1000));
  expect({"convert", "model.onnx", "--calib", "damaged.calib.json"}, 5,
         {"damaged.calib.json", "calibrate"});
  // These statistics belong to another model: one byte of the producer's version differs.
  const size_t at = other.find("pytorch");
  ASSERT_NE(at, std::string::npos);
  other[at] = 'P';
  write("changed.onnx", other);
  expect({"convert", "changed.onnx", "--calib", "model.calib.json"}, 5,
         {"model.calib.json", "another model"});
}

TEST_F(Errors, NamesOfFormatsAreListed) {
  expect({"sensitivity", "model.onnx", "--formats", "bad"}, 2, {"bad", "e4m3, e5m2, int8"});
  expect({"tune", "model.onnx", "--task", "sst2", "--fallback", "bad"}, 2,
         {"bad", "e4m3, e5m2, int8"});
}

TEST_F(Errors, NumbersThatCompareWithNothingAreRefused) {
  expect({"eval", "model.onnx", "--task", "sst2", "--max-drop", "nan"}, 2, {"--max-drop", "nan"});
}

TEST_F(Errors, DeviceThatIsNotThere) {
  expect({"eval", "model.onnx", "--task", "sst2", "--device", "cuda"}, 7, {"cuda"});
  expect({"eval", "model.onnx", "--task", "sst2", "--device", "toaster"}, 2, {"toaster"});
}

TEST_F(Errors, JsonNeverOverwritesAnInput) {
  expect({"inspect", "model.onnx", "--json", "model.onnx"}, 2, {"model.onnx"});
  expect({"inspect", "model.onnx", "--json", "config.json"}, 2, {"config.json"});
  write("notes.json", "{}");
  expect({"inspect", "model.onnx", "--json", "notes.json"}, 6, {"notes.json"});
  EXPECT_EQ(in_folder({"inspect", "model.onnx", "-q", "--json", "facts.json"}).exit_code, 0);
  EXPECT_EQ(in_folder({"inspect", "model.onnx", "-q", "--json", "facts.json"}).exit_code, 0)
      << "its own may be replaced";
}

}  // namespace
}  // namespace fp8q::test
