#include "base/memory_plan.h"

#include <gmock/gmock.h>

#include <vector>

#include "base/memory.h"
#include "tests/support/errors.h"

namespace fp8q {
namespace {

using test::error_of;
using testing::AllOf;
using testing::HasSubstr;

constexpr uint64_t kMebibyte = 1 << 20, kLimit = 4096 * kMebibyte;

class MemoryPlans : public testing::Test {
 protected:
  void SetUp() override { set_max_memory(kLimit); }
  void TearDown() override { set_max_memory(std::nullopt); }
};

TEST_F(MemoryPlans, CountWhatTheProcessHasAndWhatIsToCome) {
  const std::vector<char> held(64 * kMebibyte, 1);
  MemoryPlan plan;
  EXPECT_GE(plan.bytes(), 64 * kMebibyte);
  EXPECT_LE(plan.bytes(), memory_use().anonymous + 16 * kMebibyte);
  const uint64_t before = plan.bytes();
  plan.add("of weights", 100 * kMebibyte);
  EXPECT_EQ(plan.bytes(), before + 100 * kMebibyte);
  EXPECT_TRUE(plan.fits());
  plan.require("model", "wait");
  EXPECT_EQ(planned_memory_bytes(), plan.bytes());
  EXPECT_FALSE(plan.add("of weights", kLimit).fits());
}

TEST_F(MemoryPlans, AreRefusedWithNeedLimitSourceAndRemedy) {
  MemoryPlan plan;
  plan.add("for packed weights", UINT64_MAX - kMebibyte).add("for nothing", 0);
  EXPECT_THAT(
      error_of(ErrorCode::limit, [&] { plan.require("a.onnx", "use b.onnx"); }),
      AllOf(HasSubstr("a.onnx: needs "), HasSubstr("MiB for packed weights)"),
            HasSubstr("more than the 4096 MiB of --max-memory; use b.onnx, or allow more")));
}

TEST_F(MemoryPlans, SayHowMuchFitsSideBySide) {
  MemoryPlan plan;
  plan.add("kept", kLimit - plan.bytes() - 100 * kMebibyte);
  EXPECT_EQ(plan.side_by_side(30 * kMebibyte, 8), 3u);
  EXPECT_EQ(plan.side_by_side(30 * kMebibyte, 2), 2u);
  EXPECT_EQ(plan.side_by_side(0, 8), 8u);
  EXPECT_EQ(plan.side_by_side(kLimit, 8), 1u);
}

TEST_F(MemoryPlans, AllocationsBeyondTheLimitAreRefused) {
  check_allocation(kMebibyte);
  EXPECT_THAT(error_of(ErrorCode::limit, [] { check_allocation(kLimit); }),
              HasSubstr("--max-memory"));
  // Many small ones are counted together.
  set_max_memory(kMebibyte);
  EXPECT_THAT(error_of(ErrorCode::limit,
                       [] {
                         for (int i = 0; i < 17; ++i) check_allocation(kMebibyte);
                       }),
              HasSubstr("--max-memory"));
}

}  // namespace
}  // namespace fp8q
