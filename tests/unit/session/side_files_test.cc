#include "session/side_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/support/errors.h"
#include "tests/support/paths.h"

namespace fp8q::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

// Provides a repository with its model in a folder "onnx".
class SideFilesTest : public testing::Test {
 protected:
  SideFilesTest() { fs::create_directory(model_folder()); }
  fs::path model_folder() const { return folder_.path() / "onnx"; }
  fs::path tokenizer(const SideFiles& given = {}) const {
    return find_tokenizer(model_folder(), given);
  }
  fs::path config(const SideFiles& given = {}) const {
    return find_model_config(model_folder(), given).path;
  }
  TemporaryFolder folder_;
};

TEST_F(SideFilesTest, TheTokenizerIsBesideTheModelOrOneFolderUp) {
  EXPECT_THAT(error_of(ErrorCode::bad_data, [&] { tokenizer(); }),
              AllOf(HasSubstr(model_folder().string()), HasSubstr("--tokenizer PATH")));
  for (const char* name : {"vocab.json", "vocab.txt", "tokenizer.json"}) {
    const fs::path above = folder_.write(name, "x");
    EXPECT_EQ(tokenizer(), above) << "the most complete description counts";
  }
  const fs::path beside = folder_.write("onnx/vocab.txt", "x");
  EXPECT_EQ(tokenizer(), beside) << "the nearest folder counts first";
}

TEST_F(SideFilesTest, TheUsersTokenizerIsAFileOrAFolder) {
  folder_.write("onnx/tokenizer.json", "x");
  const fs::path mine = folder_.write("mine/vocab.txt", "x");
  EXPECT_EQ(tokenizer({mine, {}}), mine);
  EXPECT_EQ(tokenizer({mine.parent_path(), {}}), mine);
  fs::create_directory(folder_.path() / "hollow");
  EXPECT_THAT(error_of(ErrorCode::bad_data,
                       [&] {
                         tokenizer({folder_.path() / "hollow", {}});
                       }),
              HasSubstr("hollow: has none of tokenizer.json"));
}

TEST_F(SideFilesTest, TheConfigIsFoundInOneOrder) {
  EXPECT_EQ(config(), "");
  const fs::path of_tokenizer = folder_.write("mine/config.json", "{}");
  const fs::path vocabulary = folder_.write("mine/vocab.txt", "x");
  EXPECT_EQ(config({vocabulary, {}}), of_tokenizer);
  EXPECT_EQ(config({vocabulary.parent_path(), {}}), of_tokenizer);
  const fs::path above = folder_.write("config.json", R"({"model_type": "bert"})");
  EXPECT_EQ(config({vocabulary, {}}), above);
  const fs::path beside = folder_.write("onnx/config.json", "{}");
  EXPECT_EQ(config({vocabulary, {}}), beside);
  const fs::path given = folder_.write("given/config.json", "{}");
  EXPECT_EQ(config({{}, given}), given);
  EXPECT_EQ(config({{}, given.parent_path()}), given);
  fs::create_directory(folder_.path() / "hollow");
  EXPECT_THAT(error_of(ErrorCode::bad_data,
                       [&] {
                         config({{}, folder_.path() / "hollow"});
                       }),
              HasSubstr("has no config.json"));
}

TEST_F(SideFilesTest, AConfigOfAnotherProgramIsNone) {
  for (const char* other : {"{}", "[1]", "no JSON", R"({"model_type": 3})"}) {
    folder_.write("config.json", other);
    EXPECT_EQ(config(), "") << other;
  }
}

TEST_F(SideFilesTest, FoldersAboveAreThoseOfThePath) {
  const auto above = [](const char* folder) { return possible_side_files(folder, {})[8]; };
  EXPECT_EQ(above("a/b"), "a/config.json");
  EXPECT_EQ(above("a/b/"), "a/config.json");
  EXPECT_EQ(above("a"), "config.json");
  EXPECT_EQ(above(""), "../config.json");
  EXPECT_EQ(above("."), "../config.json");
  EXPECT_EQ(above(".."), "../../config.json");
  EXPECT_EQ(above("../a"), "../config.json");
}

}  // namespace
}  // namespace fp8q::test
