#include "session/outputs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/support/errors.h"
#include "tests/support/paths.h"

namespace fp8q::test {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

bool ours(const fs::path& path) { return path.filename().string().starts_with("ours"); }

class Outputs : public testing::Test {
 protected:
  // Returns what check_output() says of the path, and with which code, or an empty text if it says
  // nothing.
  std::pair<std::string, ErrorCode> refusal(const fs::path& path, bool force = false,
                                            bool keep = false) {
    try {
      check_output({path, force, keep}, ours);
    } catch (const Error& e) {
      return {e.what(), e.code()};
    }
    return {"", ErrorCode::internal};
  }
  TemporaryFolder folder_;
};

TEST_F(Outputs, NewFilesAndOursAreWritten) {
  EXPECT_EQ(refusal(folder_.path() / "new").first, "");
  EXPECT_EQ(refusal(folder_.write("ours", "x")).first, "");
}

TEST_F(Outputs, FilesOfOthersNeedForce) {
  const fs::path theirs = folder_.write("theirs", "x");
  const auto [message, code] = refusal(theirs);
  EXPECT_THAT(message, HasSubstr("was not written by fp8q; replace it with --force"));
  EXPECT_EQ(code, ErrorCode::file);
  EXPECT_EQ(refusal(theirs, true).first, "");
}

TEST_F(Outputs, OursAreKeptOnRequest) {
  EXPECT_THAT(refusal(folder_.write("ours", "x"), true, true).first, HasSubstr("name the model"));
  EXPECT_EQ(refusal(folder_.path() / "new", false, true).first, "");
}

TEST_F(Outputs, InputsAreNeverOverwritten) {
  const fs::path input = folder_.write("sub/input", "x");
  fs::create_symlink(input, folder_.path() / "link");
  fs::create_directory_symlink("sub", folder_.path() / "linked");
  fs::create_hard_link(input, folder_.path() / "hard");
  for (const char* spelling :
       {"sub/input", "./sub/input", "sub/../sub/input", "link", "linked/input", "hard"})
    EXPECT_THAT(error_of(ErrorCode::usage,
                         [&] {
                           check_files({{input}, {folder_.path() / spelling}});
                         }),
                HasSubstr("is an input of this command"))
        << spelling;
  EXPECT_NO_THROW(check_files({{input, ""}, {folder_.path() / "sub/other", ""}}));
}

TEST_F(Outputs, TwoOutputsAreTwoFiles) {
  fs::create_directory(folder_.path() / "sub");
  fs::create_directory_symlink("sub", folder_.path() / "linked");
  const fs::path output = folder_.path() / "sub/new";
  for (const char* spelling : {"sub/new", "sub/./new", "linked/new", "linked/../sub/new"})
    EXPECT_THAT(error_of(ErrorCode::usage,
                         [&] {
                           check_files({{}, {output, "", folder_.path() / spelling}});
                         }),
                HasSubstr("two outputs of this command are this file"))
        << spelling;
  EXPECT_NO_THROW(check_files({{}, {output, folder_.path() / "new", "", ""}}));
}

TEST_F(Outputs, FoldersAreNoFiles) {
  fs::create_directory(folder_.path() / "ours");
  EXPECT_THAT(refusal(folder_.path() / "ours", true).first, HasSubstr("is a folder or device"));
  const auto [message, code] = refusal(folder_.path() / "none" / "x");
  EXPECT_THAT(message, HasSubstr("there is no folder"));
  EXPECT_EQ(code, ErrorCode::file);
}

TEST_F(Outputs, FilesOfAModelAreThoseThatAreReadWithIt) {
  const fs::path model = folder_.write("onnx/model.onnx", "x");
  const fs::path folder = folder_.path() / "onnx", named = folder_.path() / "named";
  fs::create_directory(named);
  for (const fs::path& location : {model, folder, folder_.path()}) {
    const std::vector<fs::path> files =
        files_of_model(location, {named, folder_.path() / "my.json"});
    for (const fs::path& file :
         {model, folder / "config.json", folder / "vocab.txt", folder_.path() / "tokenizer.json",
          named / "merges.txt", folder_.path() / "my.json"})
      EXPECT_THAT(files, Contains(file));
  }
  fs::remove(model);
  EXPECT_THROW(files_of_model(folder), Error);
}

TEST_F(Outputs, FilesOfDataAreThoseOfTheTask) {
  const fs::path table = folder_.write("glue/SST-2/dev.tsv", "x");
  EXPECT_THAT(files_of_data({.name = "sst2", .data = folder_.path() / "glue"}), Contains(table));
  EXPECT_THAT(files_of_data({.name = "text", .data = table}), ElementsAre(table));
  EXPECT_THAT(files_of_data({.data = folder_.path() / "absent"}), IsEmpty());
}

}  // namespace
}  // namespace fp8q::test
