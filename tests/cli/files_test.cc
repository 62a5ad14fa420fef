// Tests where the files of models may be, what tells models apart, and which files are written.

#include <gmock/gmock.h>

#include <fstream>

#include "onnx/load.h"
#include "onnx/save.h"
#include "tests/cli/demo_folder.h"

namespace fp8q::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using Words = std::vector<std::string>;

class Files : public DemoFolder {
 protected:
  void write(const std::string& name, const std::string& content) const {
    temporary_.write("demo/" + name, content);
  }
  // Writes the demo model with its weights in a second file, whose path it returns.
  fs::path write_with_data(const fs::path& to) const {
    fs::create_directories(to);
    save_model(load_model(folder() / "model.onnx"), to / "model.onnx",
               {.max_proto_bytes = 1 << 20});
    for (const char* side : {"config.json", "tokenizer.json"}) fs::copy(folder() / side, to / side);
    for (const auto& entry : fs::directory_iterator(to))
      if (entry.path().extension() == ".data") return entry.path();
    ADD_FAILURE() << "no data file";
    return {};
  }
  const Words eval_ = {"eval", "--task", "sst2", "--limit", "5", "--no-baseline"};
  Words eval(const std::string& model, const Words& more = {}) const {
    Words words = eval_;
    words.insert(words.begin() + 1, model);
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
};

TEST_F(Files, ExternalDataIsPartOfAModel) {
  const fs::path data = write_with_data(folder() / "a");
  const nlohmann::json facts = ok_json({"calibrate", "a/model.onnx", "--examples", "4"});
  EXPECT_EQ(facts["model"]["bytes"],
            fs::file_size(folder() / "a/model.onnx") + fs::file_size(data));
  ok({"convert", "a", "--format", "int8", "-q"});
  std::string bytes = this->bytes("a/" + data.filename().string());
  bytes[bytes.size() / 2] ^= 1;
  fs::remove(data);
  write("a/" + data.filename().string(), bytes);
  EXPECT_THAT(fails({"convert", "a/model.onnx", "--format", "int8"}, 5),
              HasSubstr("holds the statistics of another model"));
  EXPECT_THAT(ok({"eval", "a/model.int8.onnx", "--task", "sst2", "--limit", "4"}),
              HasSubstr("has changed"));
}

TEST_F(Files, CachesOfModelHubsAreRead) {
  const fs::path cache = folder() / "cache", snapshot = cache / "snapshots/1";
  write_with_data(cache / "files");
  fs::create_directories(snapshot);
  fs::create_directory(cache / "blobs");
  for (const auto& entry : fs::directory_iterator(cache / "files")) {
    const fs::path name = entry.path().filename(), blob = "hash-of-" + name.string();
    fs::copy(entry.path(), cache / "blobs" / blob);
    fs::create_symlink("../../blobs" / blob, snapshot / name);
  }
  EXPECT_THAT(ok(eval("cache/snapshots/1")), HasSubstr("cache/snapshots/1/model.onnx"));
}

TEST_F(Files, RepositoriesKeepTheModelInAFolderOfItsOwn) {
  fs::create_directories(folder() / "repo/onnx");
  fs::copy(folder() / "model.onnx", folder() / "repo/onnx/model.onnx");
  fs::copy(folder() / "tokenizer.json", folder() / "repo/tokenizer.json");
  write("repo/config.json",
        R"({"model_type": "bert", "label2id": {"POSITIVE": 0, "NEGATIVE": 1}})");
  const auto score = [&](const std::string& model, const Words& more = {}) {
    return ok_json(eval(model, more))["score"].get<double>();
  };
  const double usual = score("model.onnx");
  for (const char* model : {"repo", "repo/onnx", "repo/onnx/model.onnx"})
    EXPECT_DOUBLE_EQ(score(model), 100 - usual) << model << " names its labels the other way round";
  const Words here = {"--tokenizer", "."};
  EXPECT_DOUBLE_EQ(score("repo/onnx/model.onnx", here), 100 - usual) << "its own config is nearer";
  EXPECT_DOUBLE_EQ(score("repo", {"--config", "."}), usual);
  EXPECT_DOUBLE_EQ(score("repo", {"--labels", "negative,positive"}), usual);
  fs::remove(folder() / "repo/config.json");
  EXPECT_DOUBLE_EQ(score("repo", here), usual) << "beside the tokenizer that was named";
  EXPECT_THAT(fails(eval("repo"), 5), AllOf(HasSubstr("--config"), HasSubstr("--labels")));
}

class Workspaces : public Files {
 protected:
  void SetUp() override {
    Files::SetUp();
    temporary_.write("other/results/2025/thesis.csv", "precious");
    temporary_.write("other/results/eval.json", kResult);
  }
  static constexpr const char* kResult = "{\n  \"schema\": \"fp8q/eval/1\"}\n";
  fs::path other() const { return temporary_.path() / "other"; }
  void expect_untouched() const {
    EXPECT_TRUE(fs::exists(other() / "results/2025/thesis.csv"));
    EXPECT_TRUE(fs::exists(other() / "results/eval.json"));
    EXPECT_EQ(std::distance(fs::directory_iterator(other()), {}), 1);
    EXPECT_EQ(std::distance(fs::directory_iterator(other() / "results"), {}), 2);
  }
  const Words calibrate_ = {"calibrate", "model.onnx", "--examples", "2"};
};

TEST_F(Workspaces, ALinkInPlaceOfTheFolderIsNotFollowed) {
  fs::create_directory_symlink(other(), folder() / ".fp8q");
  EXPECT_THAT(ok(calibrate_), AllOf(HasSubstr("no workspace"), HasSubstr("a link")));
  ok({"convert", "model.onnx", "-q"});
  ok(eval("model.onnx"));
  expect_untouched();
  EXPECT_THAT(fails({"convert"}, 2), HasSubstr("no workspace"));
  temporary_.write("other/workspace.json",
                   R"({"schema": "fp8q/workspace/1", "model": "model.onnx"})");
  EXPECT_THAT(fails({"convert"}, 6), HasSubstr("reached through a link"));
}

TEST_F(Workspaces, LinksInTheFolderAreNotFollowed) {
  fs::create_directory(folder() / ".fp8q");
  fs::create_directory_symlink(other() / "results", folder() / ".fp8q/results");
  fs::create_symlink(other() / "results/eval.json", folder() / ".fp8q/workspace.json");
  ok(calibrate_);
  EXPECT_TRUE(fs::is_regular_file(fs::symlink_status(folder() / ".fp8q/workspace.json")));
  ok(eval("model.onnx"));
  expect_untouched();
}

TEST_F(Workspaces, OnlyResultsAreForgotten) {
  write(".fp8q/results/notes.txt", "mine");
  write(".fp8q/results/mine.json", "{\"mine\": 1}");
  write(".fp8q/results/old.json", kResult);
  write(".fp8q/results/sub/old.json", kResult);
  fs::create_symlink(other() / "results/eval.json", folder() / ".fp8q/results/link.json");
  ok(calibrate_);
  const fs::path results = folder() / ".fp8q/results";
  EXPECT_FALSE(fs::exists(results / "old.json"));
  for (const char* name : {"notes.txt", "mine.json", "sub/old.json", "link.json"})
    EXPECT_TRUE(fs::exists(results / name)) << name;
  expect_untouched();
}

TEST_F(Workspaces, NothingElsewhereIsReplacedBecauseOfOne) {
  const fs::path here = temporary_.path() / "here";
  fs::create_directory(here);
  const auto run = [&](const Words& words) { return run_fp8q(words, {.folder = here}); };
  ASSERT_EQ(run({"calibrate", "../demo", "--examples", "2"}).exit_code, 0);
  EXPECT_EQ(run({"convert", "-q"}).exit_code, 0) << "a new file is written";
  const ProcessResult again = run({"convert", "--force"});
  EXPECT_EQ(again.exit_code, 6);
  EXPECT_THAT(again.err, HasSubstr("name the model to replace"));
  EXPECT_EQ(run({"convert", "../demo", "-q"}).exit_code, 0);
  ok({"calibrate", "model.onnx", "--examples", "2"});
  for (int i = 0; i < 2; ++i) ok({"convert", "-q"});
}

TEST_F(Workspaces, NamesAreChecked) {
  write(".fp8q/workspace.json",
        R"({"schema": "fp8q/workspace/1", "model": "model.onnx\u0000/etc/x"})");
  EXPECT_THAT(fails({"convert"}, 5), HasSubstr("is not the path of a file"));
}

TEST_F(Files, TwoOutputsAreNeverOneFile) {
  ok({"calibrate", "model.onnx", "--examples", "2"});
  fs::create_directory_symlink(".", folder() / "here");
  const auto refused = [&](Words words) {
    EXPECT_THAT(fails(words, 2), HasSubstr("new")) << testing::PrintToString(words);
    EXPECT_FALSE(fs::exists(folder() / "new")) << testing::PrintToString(words);
  };
  const Words convert = {"convert", "model.onnx", "-o", "new"};
  const auto with = [](Words words, const Words& more) {
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  refused(with(convert, {"--write-plan", "new"}));
  refused(with(convert, {"--write-plan", "./new"}));
  refused(with(convert, {"--write-ranges", "here/new"}));
  refused(with(convert, {"--json", folder() / "new"}));
  refused(with(eval("model.onnx"), {"--predictions", "new", "--json", "new"}));
  refused({"merge", "a.json", "b.json", "-o", "new", "--json", "here/new"});
  refused({"report", "model.calib.json", "-o", "new", "--json", "new"});
  refused({"tune", "--task", "sst2", "-o", "new", "--checkpoint", "new"});
  refused({"calibrate", "model.onnx", "-o", "new", "--json", "new"});
  // Names that the commands choose count as well.
  EXPECT_THAT(fails({"convert", "model.onnx", "--json", "model.e4m3.onnx"}, 2),
              HasSubstr("two outputs"));
  EXPECT_FALSE(fs::exists(folder() / "model.e4m3.onnx"));
  EXPECT_THAT(fails({"calibrate", "model.onnx", "--log-file", "log", "--json", "log"}, 2),
              HasSubstr("two outputs"));
}

TEST_F(Files, NoOutputIsAnInput) {
  write("SST-2/dev.tsv", "sentence\tlabel\nfine\t1\n");
  const Words data = {"--data", ".", "--force", "--predictions"};
  const auto with = [&](const char* output) {
    Words words = eval("model.onnx", data);
    words.push_back(output);
    return words;
  };
  EXPECT_THAT(fails(with("SST-2/dev.tsv"), 2), HasSubstr("is an input"));
  const fs::path weights = write_with_data(folder() / "a");
  EXPECT_THAT(fails({"calibrate", "a", "--force", "-o", weights}, 2), HasSubstr("is an input"));
  fs::create_hard_link(folder() / "vocab.txt", folder() / "hard");
  EXPECT_THAT(fails({"calibrate", "model.onnx", "--force", "-o", "hard"}, 2),
              HasSubstr("is an input"));
}

TEST_F(Files, WhatAKilledRunLeftIsRemoved) {
  write("model.calib.json.tmp.fp8q-aB3dEf", "left");
  write("model.calib.json.tmp.mine", "mine");
  ok({"calibrate", "model.onnx", "--examples", "2"});
  EXPECT_FALSE(fs::exists(folder() / "model.calib.json.tmp.fp8q-aB3dEf"));
  EXPECT_TRUE(fs::exists(folder() / "model.calib.json.tmp.mine"));
}

}  // namespace
}  // namespace fp8q::test
