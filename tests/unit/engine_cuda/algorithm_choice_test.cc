#include "engine/cuda/algorithm_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/cuda_sim/simulated_test.h"
#include "tests/support/paths.h"
#include "tests/unit/engine_cuda/engine_cuda_testing.h"

namespace fp8q::cuda {
namespace {

using testing::HasSubstr;
using Origin = ChosenAlgorithm::Origin;

const MatmulShape kShape = {
    .tokens = 7, .n = 48, .k = 32, .weights = OperandType::e4m3, .x = OperandType::e4m3};

class AlgorithmChoiceTest : public sim::SimulatedTest {
 protected:
  ChosenAlgorithm choose(AlgorithmChoice choice = AlgorithmChoice::timed) {
    return choose(matmul_, choice);
  }
  ChosenAlgorithm choose(Matmul& matmul, AlgorithmChoice choice) {
    return choose_algorithm(matmul, product_.trial(stream_.get()), cache_, choice);
  }
  // Returns the algorithm that a run uses from now on.
  int used() {
    matmul_.run(product_.operands(), stream_.get());
    return *sim::cublaslt_calls().matmuls.back().algorithm;
  }
  static size_t products_run() { return sim::cublaslt_calls().matmuls.size(); }

  test::TemporaryFolder folder_;
  MatmulContext context_{sim::cublaslt(), h100()};
  StreamHandle stream_;
  RandomProduct product_{kShape};
  Matmul matmul_{context_, kShape};
  AlgorithmCache cache_{folder_.path(), MachineKey::of(context_)};
};

TEST_F(AlgorithmChoiceTest, TakesTheFastestOfTheCandidates) {
  sim::set_algorithms({{.id = 1, .microseconds = 30},
                       {.id = 2, .microseconds = 20.5},
                       {.id = 3, .microseconds = 25}});
  const ChosenAlgorithm chosen = choose();
  EXPECT_EQ(chosen.origin, Origin::timed);
  EXPECT_NEAR(chosen.microseconds, 20.5, 0.01);
  EXPECT_EQ(used(), 2);
  EXPECT_EQ(sim::cublaslt_calls().heuristics.at(0).requested, kMostCandidates);
}

TEST_F(AlgorithmChoiceTest, TakesTheFirstOfEquals) {
  sim::set_algorithms({{.id = 5, .microseconds = 20}, {.id = 6, .microseconds = 20}});
  choose();
  EXPECT_EQ(used(), 5);
}

TEST_F(AlgorithmChoiceTest, PassesOverCandidatesThatDoNotRun) {
  sim::set_algorithms({{.id = 1, .microseconds = 5, .run = CUBLAS_STATUS_EXECUTION_FAILED},
                       {.id = 2, .microseconds = 6, .heuristic = CUBLAS_STATUS_NOT_SUPPORTED},
                       {.id = 3, .microseconds = 40},
                       {.id = 4, .microseconds = 30}});
  choose();
  EXPECT_EQ(used(), 4);
}

TEST_F(AlgorithmChoiceTest, PassesOverWhatCannotBeCaptured) {
  sim::set_algorithms({{.id = 1, .microseconds = 5, .captured = CUBLAS_STATUS_NOT_SUPPORTED},
                       {.id = 2, .microseconds = 6}});
  choose();
  EXPECT_EQ(used(), 2);
}

TEST_F(AlgorithmChoiceTest, TrialsSeeRandomCodes) {
  choose();
  stream_.synchronize("trials");
  std::vector<uint8_t> codes(static_cast<size_t>(kShape.tokens * kShape.k));
  copy_to_host(codes.data(), product_.operands().x, codes.size(), nullptr);
  EXPECT_GT(std::set<uint8_t>(codes.begin(), codes.end()).size(), 20u);
}

TEST_F(AlgorithmChoiceTest, FailsWithoutAnAlgorithm) {
  sim::set_algorithms({{.id = 1, .run = CUBLAS_STATUS_EXECUTION_FAILED}});
  const auto [code, message] = raised_by([&] { choose(); });
  EXPECT_EQ(code, ErrorCode::device);
  EXPECT_THAT(message, HasSubstr(describe(kShape)));
  EXPECT_THAT(message, HasSubstr("1 tried"));
  sim::set_algorithms({});
  EXPECT_EQ(raised_by([&] { choose(); }).first, ErrorCode::device);
  EXPECT_EQ(raised_by([&] { choose(AlgorithmChoice::first); }).first, ErrorCode::device);
}

TEST_F(AlgorithmChoiceTest, TheCacheSavesTheTrials) {
  choose();
  const int best = used();
  const size_t runs = products_run(), heuristics = sim::cublaslt_calls().heuristics.size();
  // The choice is found in this process, and from the file in another.
  cache_.save();
  cache_ = AlgorithmCache(folder_.path(), MachineKey::of(context_));
  Matmul again(context_, kShape);
  const ChosenAlgorithm chosen = choose(again, AlgorithmChoice::timed);
  EXPECT_EQ(chosen.origin, Origin::cached);
  EXPECT_GT(chosen.microseconds, 0);
  EXPECT_EQ(products_run(), runs + 1) << "once, to see that it runs";
  EXPECT_EQ(sim::cublaslt_calls().heuristics.size(), heuristics);
  again.run(product_.operands(), stream_.get());
  EXPECT_EQ(sim::cublaslt_calls().matmuls.back().algorithm, best);
}

TEST_F(AlgorithmChoiceTest, ACachedAlgorithmThatIsRefusedIsTimedAnew) {
  cache_.put(kShape, {sim::opaque(9), 1.0});
  EXPECT_EQ(choose().origin, Origin::timed);
  EXPECT_NE(used(), 9);
  const auto entry = cache_.find(kShape);
  ASSERT_TRUE(entry);
  EXPECT_GT(entry->microseconds, 1.0);

  sim::set_algorithms({{.id = 1, .check = CUBLAS_STATUS_NOT_SUPPORTED}, {.id = 2}});
  cache_.put(kShape, {sim::opaque(1), 1.0});
  EXPECT_EQ(choose().origin, Origin::timed);
}

TEST_F(AlgorithmChoiceTest, TheFirstThatRunsIsTakenWithoutTiming) {
  sim::set_algorithms({{.id = 4, .microseconds = 50}, {.id = 5, .microseconds = 10}});
  cache_.put(kShape, {sim::opaque(5), 10});
  const ChosenAlgorithm chosen = choose(AlgorithmChoice::first);
  EXPECT_EQ(chosen.origin, Origin::first);
  EXPECT_EQ(chosen.microseconds, 0);
  EXPECT_EQ(products_run(), 1u);
  EXPECT_EQ(used(), 4);

  sim::set_algorithms({{.id = 4, .run = CUBLAS_STATUS_NOT_SUPPORTED}, {.id = 5}});
  EXPECT_EQ(choose(AlgorithmChoice::first).origin, Origin::first);
  EXPECT_EQ(used(), 5);
}

TEST_F(AlgorithmChoiceTest, AnIllegalAddressInATrialIsReported) {
  sim::fail_next("cudaEventSynchronize", cudaErrorIllegalAddress, 2);
  EXPECT_THAT(raised_by([&] { choose(); }).second, HasSubstr("started again"));
}

TEST_F(AlgorithmChoiceTest, AGpuThatHasStoppedIsNotTheLibrarysFault) {
  sim::set_algorithms({{.id = 1, .run = CUBLAS_STATUS_EXECUTION_FAILED}});
  sim::fail_next("cudaStreamSynchronize", cudaErrorIllegalAddress, 1);
  EXPECT_THAT(raised_by([&] { choose(); }).second, HasSubstr("started again"));
}

TEST_F(AlgorithmChoiceTest, WaitsForTheDeviceItself) {
  sim::set_execution(sim::Execution::deferred);
  sim::set_algorithms({{.id = 1, .microseconds = 30}, {.id = 2, .microseconds = 20}});
  choose();
  EXPECT_EQ(used(), 2);
  stream_.synchronize("the product");
}

TEST_F(AlgorithmChoiceTest, KeepsNoMemory) {
  const sim::Counters before = sim::counters();
  choose();
  EXPECT_EQ(sim::counters().allocations, before.allocations);
  EXPECT_EQ(sim::counters().graphs, before.graphs);
  EXPECT_EQ(sim::counters().events, before.events);
}

}  // namespace
}  // namespace fp8q::cuda
