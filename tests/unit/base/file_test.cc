#include "base/file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "base/error.h"
#include "base/open_file.h"
#include "tests/support/errors.h"
#include "tests/support/paths.h"

namespace fp8q {
namespace {

using test::raised_by;
using test::TemporaryFolder;
using testing::HasSubstr;

size_t files_in(const fs::path& folder) {
  return static_cast<size_t>(std::distance(fs::directory_iterator(folder), {}));
}

TEST(ReadFile, ReadsAll) {
  const TemporaryFolder folder;
  const std::string content("a\0b\n", 4);
  EXPECT_EQ(read_file(folder.write("x", content), 4), content);
}

TEST(ReadFile, RefusesWhatIsNoSmallRegularFile) {
  const TemporaryFolder folder;
  EXPECT_EQ(raised_by([&] { read_file(folder.path() / "absent", 9); }).first, ErrorCode::file);
  EXPECT_THAT(raised_by([&] { read_file(folder.path(), 9); }).second, HasSubstr("is a folder"));
  EXPECT_EQ(raised_by([&] { read_file(folder.write("x", "12345"), 4); }).first, ErrorCode::limit);
  const fs::path fifo = folder.path() / "fifo";
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_THAT(raised_by([&] { read_file(fifo, 9); }).second, HasSubstr("not a regular file"));
}

TEST(WhatIsThere, LinksAreFollowed) {
  const TemporaryFolder folder;
  const fs::path file = folder.write("file", "x"), link = folder.path() / "link";
  fs::create_symlink(folder.path(), link);
  EXPECT_TRUE(is_there(file) && is_file(file) && !is_folder(file));
  EXPECT_TRUE(is_there(link) && !is_file(link) && is_folder(link));
  for (const fs::path& absent : {folder.path() / "absent", file / "below"})
    EXPECT_FALSE(is_there(absent) || is_file(absent) || is_folder(absent)) << absent;
}

TEST(WhatIsThere, WhatCannotBeExaminedIsNotAbsent) {
  const TemporaryFolder folder;
  const fs::path loop = folder.path() / "loop";
  fs::create_symlink(loop, loop);
  for (const auto& ask : {is_there, is_folder, is_file})
    EXPECT_EQ(raised_by([&] { ask(loop); }).first, ErrorCode::file);
}

TEST(AtomicFile, AppearsOnlyWhenCommitted) {
  const TemporaryFolder folder;
  const fs::path path = folder.write("out", "old");
  {
    AtomicFile file(path);
    file.write("new");
    EXPECT_EQ(read_file(path, 9), "old");
    file.commit();
  }
  EXPECT_EQ(read_file(path, 9), "new");
  EXPECT_EQ(files_in(folder.path()), 1u);
}

TEST(AtomicFile, LeavesNothingWithoutCommit) {
  const TemporaryFolder folder;
  { AtomicFile(folder.path() / "out").write("half"); }
  EXPECT_EQ(files_in(folder.path()), 0u);
}

TEST(AtomicFile, InterruptedLeavesNothing) {
  const TemporaryFolder folder;
  AtomicFile file(folder.path() / "out");
  file.write("half");
  remove_temporary_files();
  EXPECT_EQ(files_in(folder.path()), 0u);
}

TEST(AtomicFile, NamesTheFileItCannotWrite) {
  const auto [code, message] = raised_by([] { AtomicFile file("/nonexistent/folder/out"); });
  EXPECT_EQ(code, ErrorCode::file);
  EXPECT_THAT(message, HasSubstr("/nonexistent/folder/out"));
}

TEST(AtomicFile, WhatKilledProcessesLeftIsRemoved) {
  const TemporaryFolder folder;
  folder.write("other.tmp.fp8q-aB3dEf", "left");
  folder.write("out.tmp.fp8q-aB3dE", "not our name");
  folder.write("out.tmp.aB3dEf", "not our name");
  fs::create_directory(folder.path() / "folder.tmp.fp8q-aB3dEf");
  fs::create_symlink("out", folder.path() / "link.tmp.fp8q-aB3dEf");
  write_file_atomically(folder.path() / "out", "x");
  EXPECT_FALSE(fs::exists(folder.path() / "other.tmp.fp8q-aB3dEf"));
  EXPECT_EQ(files_in(folder.path()), 5u) << "nothing else was removed";
}

TEST(AtomicFile, WhatAnotherProcessWritesIsKept) {
  const TemporaryFolder folder;
  AtomicFile unfinished(folder.path() / "out");
  unfinished.write("half");
  // A path that is spelled otherwise is another folder to this process.
  write_file_atomically(folder.path() / "." / "other", "x");
  unfinished.commit();
  EXPECT_EQ(read_file(folder.path() / "out", 9), "half");
}

TEST(ReadExactly, ReportsAFileThatEnds) {
  const TemporaryFolder folder;
  const OpenedFile file = open_file(folder.write("data", "0123456789"), 10);
  EXPECT_EQ(file.size, 10u);
  char bytes[8] = {};
  read_exactly(file.fd, 4, bytes, 3, "data");
  EXPECT_STREQ(bytes, "456");
  EXPECT_EQ(raised_by([&] { read_exactly(file.fd, 5, bytes, 8, "data"); }).first, ErrorCode::file);
}

}  // namespace
}  // namespace fp8q
