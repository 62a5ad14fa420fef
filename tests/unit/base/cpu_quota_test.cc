#include "base/cpu_quota.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/paths.h"

namespace fp8q {
namespace {

namespace fs = std::filesystem;

void write(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream(file) << text << "\n";
}

TEST(CpuQuota, OfVersion2IsTheLeastOfTheGroupAndThoseAboveIt) {
  const test::TemporaryFolder root;
  EXPECT_EQ(cpu_quota({"0::/pod/box\n", root.path()}), std::nullopt);
  write(root.path() / "pod/box/cpu.max", "max 100000");
  EXPECT_EQ(cpu_quota({"0::/pod/box\n", root.path()}), std::nullopt);
  write(root.path() / "pod/cpu.max", "350000 100000");
  EXPECT_EQ(cpu_quota({"0::/pod/box\n", root.path()}), 3.5);
  write(root.path() / "pod/box/cpu.max", "50000 100000");
  EXPECT_EQ(cpu_quota({"0::/pod/box\n", root.path()}), 0.5);
  EXPECT_EQ(cpu_quota({"0::/\n", root.path()}), std::nullopt);
}

TEST(CpuQuota, OfVersion1IsThatOfTheCpuController) {
  const test::TemporaryFolder root;
  write(root.path() / "cpu/box/cpu.cfs_quota_us", "200000");
  write(root.path() / "cpu/box/cpu.cfs_period_us", "100000");
  const std::string groups = "5:memory:/other\n3:cpu,cpuacct:/box\n";
  EXPECT_EQ(cpu_quota({groups, root.path()}), 2.0);
  write(root.path() / "cpu/box/cpu.cfs_quota_us", "-1");
  EXPECT_EQ(cpu_quota({groups, root.path()}), std::nullopt);
}

TEST(CpuQuota, NonsenseIsNoLimit) {
  const test::TemporaryFolder root;
  write(root.path() / "cpu.max", "nonsense");
  EXPECT_EQ(cpu_quota({"0::/\n", root.path()}), std::nullopt);
  EXPECT_EQ(cpu_quota({"no colons", root.path()}), std::nullopt);
  EXPECT_EQ(cpu_quota({"", root.path()}), std::nullopt);
}

TEST(CpuQuota, SomeCoreIsUsable) { EXPECT_GE(usable_cores(), 1); }

}  // namespace
}  // namespace fp8q
