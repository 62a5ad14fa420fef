#include "base/beneath.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "base/error.h"
#include "tests/support/errors.h"
#include "tests/support/paths.h"

namespace fp8q {
namespace {

using test::error_of;
using test::TemporaryFolder;
using testing::HasSubstr;

class OpenBeneath : public testing::Test {
 protected:
  void SetUp() override {
    outside_.write("canary", "secret");
    folder_.write("data", "0123456789");
    folder_.write("sub/data", "abc");
  }
  std::optional<OpenedFile> open(const fs::path& relative) {
    return open_beneath(folder_.path(), relative);
  }

  TemporaryFolder outside_, folder_;
};

TEST_F(OpenBeneath, OpensFilesInside) {
  const auto file = open("data");
  ASSERT_TRUE(file);
  EXPECT_EQ(file->size, 10u);
  char bytes[3] = {};
  read_exactly(file->fd, 4, bytes, 3, "data");
  EXPECT_EQ(std::string(bytes, 3), "456");
  EXPECT_EQ(open("sub/data")->size, 3u);
  EXPECT_EQ(open("./sub/./data")->size, 3u);
}

TEST_F(OpenBeneath, TheWayToTheFolderMayLeadThroughLinks) {
  fs::create_directory_symlink(folder_.path(), outside_.path() / "there");
  EXPECT_TRUE(open_beneath(outside_.path() / "there", "data"));
}

TEST_F(OpenBeneath, LeavesTheFolderOnNoPath) {
  fs::create_symlink(outside_.path() / "canary", folder_.path() / "link");
  fs::create_symlink("data", folder_.path() / "near");
  fs::create_directory_symlink(outside_.path(), folder_.path() / "linked");
  const std::string name = outside_.path().filename().string();
  for (const fs::path& relative :
       {fs::path("..") / name / "canary", fs::path("sub/../../x"), outside_.path() / "canary",
        fs::path("link"), fs::path("near"), fs::path("linked/canary")})
    EXPECT_FALSE(open(relative)) << relative;
}

TEST_F(OpenBeneath, OpensOnlyRegularFiles) {
  ASSERT_EQ(mkfifo((folder_.path() / "fifo").c_str(), 0600), 0);
  EXPECT_THAT(error_of(ErrorCode::file, [&] { open("sub"); }), HasSubstr("is a folder"));
  EXPECT_THAT(error_of(ErrorCode::file, [&] { open("fifo"); }), HasSubstr("not a regular file"));
  EXPECT_THAT(error_of(ErrorCode::file, [&] { open("absent"); }), HasSubstr("cannot be opened"));
  EXPECT_THAT(error_of(ErrorCode::file, [&] { open("data/x"); }), HasSubstr("cannot be opened"));
}

}  // namespace
}  // namespace fp8q
