// Tests what the program reports about itself and its files: version, time, memory, facts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/file_facts.h"
#include "base/hash.h"
#include "base/memory.h"
#include "base/stopwatch.h"
#include "tests/support/paths.h"

namespace fp8q::test {
namespace {

TEST(Stopwatch, RunsFromItsConstruction) {
  const Stopwatch first;
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const Stopwatch second;
  EXPECT_GE(first.seconds(), 0.005);
  EXPECT_GE(second.seconds(), 0);
  EXPECT_GT(first.seconds(), second.seconds());
}

TEST(Memory, ThePeakStays) {
  constexpr size_t kBytes = size_t{256} << 20;
  const uint64_t before = peak_rss_bytes();
  { EXPECT_EQ(std::vector<char>(kBytes, 1).back(), 1); }
  const uint64_t after = peak_rss_bytes();
  EXPECT_GE(after, kBytes);
  EXPECT_GT(after, before);
  EXPECT_GE(peak_rss_bytes(), after);
}

TEST(Version, HasThreeNumbers) {
  EXPECT_THAT(std::string(version()), testing::MatchesRegex("[0-9]+\\.[0-9]+\\.[0-9]+"));
}

TEST(FileFacts, AreOfTheBytes) {
  const TemporaryFolder folder;
  const auto path = folder.write("x.bin", "abc");
  const FileFacts facts = facts_of(path);
  EXPECT_EQ(facts.path, path);
  EXPECT_EQ(facts.bytes, 3u);
  EXPECT_EQ(facts.sha256, sha256("abc"));
  try {
    facts_of(folder.path() / "none");
    ADD_FAILURE() << "a file that is not there was read";
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::file);
    EXPECT_THAT(e.what(), testing::HasSubstr("none: cannot be examined"));
  }
}

}  // namespace
}  // namespace fp8q::test
