#include "base/file_bytes.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/error.h"
#include "base/hash.h"
#include "tests/support/paths.h"

namespace fp8q {
namespace {

using test::TemporaryFolder;

std::string long_text() {
  std::string text;
  for (int i = 0; text.size() < 100'000; ++i) text += std::to_string(i) + " ";
  return text;
}

// Returns whether any page that the bytes stand in is mapped into this process.
bool in_memory(std::string_view bytes) {
  const FileDescriptor pages(::open("/proc/self/pagemap", O_RDONLY));
  const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<uint64_t>(bytes.data());
  for (uint64_t p = begin / page; p <= (begin + bytes.size() - 1) / page; ++p) {
    uint64_t entry = 0;
    read_exactly(pages, p * sizeof(entry), &entry, sizeof(entry), "pagemap");
    if (entry >> 63) return true;  // "page present", Documentation/admin-guide/mm/pagemap.rst
  }
  return false;
}

TEST(FileBytes, AreThoseOfTheFile) {
  const TemporaryFolder folder;
  const std::string text = long_text();
  EXPECT_EQ(FileBytes::open(folder.write("x", text), text.size())->view(), text);
  EXPECT_EQ(FileBytes::open(folder.write("empty", ""), 9)->view(), "");
  EXPECT_EQ(FileBytes::of("held")->view(), "held");
}

TEST(FileBytes, AreHashedInBlocks) {
  const TemporaryFolder folder;
  const std::string text(40'000'001, 'x');
  const auto bytes = FileBytes::open(folder.write("x", text), text.size());
  EXPECT_EQ(bytes->sha256(), sha256(text));
  EXPECT_FALSE(in_memory(bytes->view().substr(0, 1 << 20)));
  EXPECT_EQ(FileBytes::of("held")->sha256(), sha256("held"));
  EXPECT_EQ(FileBytes::of("")->sha256(), sha256(""));
}

TEST(FileBytes, RefuseWhatReadingRefuses) {
  const TemporaryFolder folder;
  EXPECT_THROW(FileBytes::open(folder.path() / "absent", 9), Error);
  EXPECT_THROW(FileBytes::open(folder.path(), 9), Error);
  EXPECT_THROW(FileBytes::open(folder.write("x", "12345"), 4), Error);
}

TEST(FileBytes, StayWhenAnotherFileTakesTheName) {
  const TemporaryFolder folder;
  const std::string text = long_text();
  const fs::path path = folder.write("x", text);
  const auto bytes = FileBytes::open(path, text.size());
  write_file_atomically(path, "other");
  EXPECT_EQ(bytes->view(), text);
}

TEST(FileBytes, AreGivenBackAndComeAgain) {
  const TemporaryFolder folder;
  const std::string text = long_text();
  const auto bytes = FileBytes::open(folder.write("x", text), text.size());
  ASSERT_EQ(bytes->view(), text);
  EXPECT_TRUE(in_memory(bytes->view()));
  bytes->release();
  EXPECT_FALSE(in_memory(bytes->view()));
  EXPECT_EQ(bytes->view(), text);
  const std::string_view part = bytes->view().substr(5000, 50'000);
  bytes->release(part);
  EXPECT_TRUE(in_memory(bytes->view().substr(0, 1))) << "its neighbors stay";
  EXPECT_FALSE(in_memory(part.substr(20'000, 10'000)));
  const auto held = FileBytes::of(text);
  held->release();
  EXPECT_EQ(held->view(), text);
}

}  // namespace
}  // namespace fp8q
