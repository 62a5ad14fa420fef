// Tests what is planned of the memory that conversion takes.
#include "quantize/memory_needs.h"

#include <gmock/gmock.h>

#include "base/memory_limit.h"
#include "base/memory_plan.h"
#include "base/threads.h"
#include "tests/support/errors.h"
#include "tests/unit/quantize/small_graphs.h"

namespace fp8q::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr uint64_t kPlanMiB = 1 << 20;
constexpr int64_t kMatrixSize = 2048;
constexpr uint64_t kMatrixElements = kMatrixSize * kMatrixSize;

class ConversionMemory : public testing::Test {
 protected:
  void SetUp() override { set_threads(4); }
  void TearDown() override {
    set_threads(0);
    set_max_memory(std::nullopt);
  }

  ConversionNeeds needs(const Granularity& granularity = Granularity::channel) const {
    PlanRequest request = recipe_request(default_recipe(), sites_);
    for (SiteRequest& site : request.sites) site.granularity = granularity;
    return {GraphIndex(model_.graph), sites_, request};
  }
  // Sets a limit that leaves this much beside the weight's codes and the allowance.
  static void leave(uint64_t bytes) {
    set_max_memory(MemoryPlan().bytes() + kMatrixElements + 8 * kPlanMiB + bytes);
  }

  const Model model_ = linear_model(Tensor(DType::f32, {kMatrixSize, kMatrixSize}));
  const std::vector<Site> sites_ = with_role(generic_sites(model_), SiteRole::intermediate);
};

TEST_F(ConversionMemory, DecidesHowManyWeightsAreQuantizedSideBySide) {
  constexpr uint64_t kEach = 5 * kMatrixElements;
  leave(100 * kEach);
  EXPECT_EQ(needs().side_by_side(), 4u);
  leave(2 * kEach + kEach / 2);
  EXPECT_EQ(needs().side_by_side(), 2u);
  needs().require("model");
  leave(0);
  EXPECT_EQ(needs().side_by_side(), 1u);
}

TEST_F(ConversionMemory, ThatDoesNotFitIsRefused) {
  leave(4 * kMatrixElements);
  const auto [code, message] = raised_by([&] { needs().require("model"); });
  EXPECT_EQ(code, ErrorCode::limit);
  EXPECT_THAT(message, AllOf(HasSubstr("model: needs"), HasSubstr("MiB for new codes and tables"),
                             HasSubstr("--max-memory; "), HasSubstr("--site")));
}

TEST_F(ConversionMemory, GrowsWithTheNumberOfScales) {
  leave(6 * kMatrixElements);
  needs().require("model");
  const Granularity blocks{Granularity::Kind::block, 16};
  EXPECT_EQ(raised_by([&] { needs(blocks).require("model"); }).first, ErrorCode::limit);
}

}  // namespace
}  // namespace fp8q::test
