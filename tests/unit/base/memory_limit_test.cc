#include "base/memory_limit.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <fstream>

#include "base/memory.h"
#include "tests/support/paths.h"

namespace fp8q {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kOneMiB = 1 << 20;

void write_group_file(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream(file) << text << "\n";
}

TEST(GrantedMemory, IsTheLeastOfTheGroupAndThoseAboveIt) {
  const test::TemporaryFolder root;
  const auto granted = [&] { return granted_memory({"0::/pod/box\n", root.path()}, 10 * kOneMiB); };
  EXPECT_FALSE(granted().has_value());
  write_group_file(root.path() / "pod/box/memory.max", "max");
  EXPECT_FALSE(granted().has_value());
  write_group_file(root.path() / "pod/memory.max", std::to_string(500 * kOneMiB));
  EXPECT_EQ(granted()->bytes, 500 * kOneMiB);
  EXPECT_EQ(granted()->source, (root.path() / "pod/memory.max").string());
  write_group_file(root.path() / "pod/box/memory.max", std::to_string(200 * kOneMiB));
  EXPECT_EQ(granted()->bytes, 200 * kOneMiB);
}

TEST(GrantedMemory, LeavesWhatOtherProcessesOfTheGroupHave) {
  const test::TemporaryFolder root;
  write_group_file(root.path() / "box/memory.max", std::to_string(200 * kOneMiB));
  write_group_file(root.path() / "box/memory.stat",
                   "file 1000\nanon " + std::to_string(50 * kOneMiB) + "\nanon_thp 0");
  const ControlGroups groups{"0::/box\n", root.path()};
  EXPECT_EQ(granted_memory(groups, 10 * kOneMiB)->bytes, 160 * kOneMiB);
  EXPECT_EQ(granted_memory(groups, 60 * kOneMiB)->bytes, 200 * kOneMiB);
  write_group_file(root.path() / "box/memory.stat", "anon " + std::to_string(500 * kOneMiB));
  EXPECT_EQ(granted_memory(groups, 0)->bytes, 0u);
}

TEST(GrantedMemory, KnowsVersion1) {
  const test::TemporaryFolder root;
  const ControlGroups groups{"4:memory:/box\n3:cpu,cpuacct:/other\n0::/\n", root.path()};
  write_group_file(root.path() / "memory/memory.limit_in_bytes", "9223372036854771712");
  EXPECT_FALSE(granted_memory(groups, 0).has_value());
  write_group_file(root.path() / "memory/box/memory.limit_in_bytes", std::to_string(300 * kOneMiB));
  write_group_file(root.path() / "memory/box/memory.stat",
                   "rss 5\ntotal_rss " + std::to_string(100 * kOneMiB) + "\ntotal_rss_huge 0");
  EXPECT_EQ(granted_memory(groups, 0)->bytes, 200 * kOneMiB);
}

TEST(MemInfo, HasMembersInKilobytes) {
  const char* text = "MemTotal:  24000000 kB\nMemAvailable:   1024 kB\nSwapFree: 0 kB\n";
  EXPECT_EQ(meminfo_bytes(text, "MemAvailable"), kOneMiB);
  EXPECT_EQ(meminfo_bytes(text, "SwapFree"), 0u);
  EXPECT_EQ(meminfo_bytes(text, "Mem"), std::nullopt);
  EXPECT_EQ(meminfo_bytes("MemAvailable: none", "MemAvailable"), std::nullopt);
}

TEST(MemoryLimit, IsTheLeastOfAll) {
  const MemoryLimit machine = memory_limit();
  EXPECT_GT(machine.bytes, memory_use().anonymous);
  set_max_memory(64 * kOneMiB);
  EXPECT_EQ(memory_limit().bytes, 64 * kOneMiB);
  EXPECT_EQ(memory_limit().source, "--max-memory");

  rlimit before{};
  getrlimit(RLIMIT_DATA, &before);
  const MemoryUse use = memory_use();
  const rlimit low = {use.data + 8 * kOneMiB, before.rlim_max};
  setrlimit(RLIMIT_DATA, &low);
  const MemoryLimit limit = memory_limit();
  setrlimit(RLIMIT_DATA, &before);
  set_max_memory(std::nullopt);
  EXPECT_EQ(limit.source, "ulimit -d");
  EXPECT_NEAR(static_cast<double>(limit.bytes), static_cast<double>(use.anonymous + 8 * kOneMiB),
              static_cast<double>(kOneMiB));
}

}  // namespace
}  // namespace fp8q
