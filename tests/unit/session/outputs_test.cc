#include "session/outputs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "tests/support/paths.h"

namespace fp8q::test {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Not;

bool ours(const fs::path& path) { return path.filename().string().starts_with("ours"); }

class Outputs : public testing::Test {
 protected:
  // Returns what check_output() says of the path, and with which code, or an empty text if it says
  // nothing.
  std::pair<std::string, ErrorCode> refusal(const fs::path& path, bool force = false,
                                            std::vector<fs::path> inputs = {}) {
    try {
      check_output({path, std::move(inputs), force}, ours);
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

TEST_F(Outputs, InputsAreNeverOverwritten) {
  const fs::path input = folder_.write("ours", "x");
  const fs::path same = folder_.path() / "." / "ours";
  const auto [message, code] = refusal(same, true, {input});
  EXPECT_THAT(message, HasSubstr("is an input of this command"));
  EXPECT_EQ(code, ErrorCode::usage);
}

TEST_F(Outputs, FoldersAreNoFiles) {
  fs::create_directory(folder_.path() / "ours");
  EXPECT_THAT(refusal(folder_.path() / "ours", true).first, HasSubstr("is a folder or device"));
  const auto [message, code] = refusal(folder_.path() / "none" / "x");
  EXPECT_THAT(message, HasSubstr("there is no folder"));
  EXPECT_EQ(code, ErrorCode::file);
}

TEST_F(Outputs, FilesOfAModelAreThoseBesideIt) {
  const fs::path model = folder_.write("model.onnx", "x");
  folder_.write("model.onnx.data", "x");
  folder_.write("weights_data", "x");
  folder_.write("notes.txt", "x");
  for (const fs::path& location : {model, folder_.path()}) {
    const std::vector<fs::path> files = files_of_model(location);
    for (const char* name :
         {"model.onnx", "model.onnx.data", "weights_data", "config.json", "vocab.txt"})
      EXPECT_THAT(files, Contains(folder_.path() / name));
    EXPECT_THAT(files, Not(Contains(folder_.path() / "notes.txt")));
  }
  fs::remove(model);
  EXPECT_THROW(files_of_model(folder_.path()), Error);
}

}  // namespace
}  // namespace fp8q::test
