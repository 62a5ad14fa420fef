#include "engine/cuda/matmul.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "engine/cuda/device_array.h"
#include "tests/cuda_sim/simulated_test.h"
#include "tests/unit/engine_cuda/engine_cuda_testing.h"

namespace fp8q::cuda {
namespace {

using testing::HasSubstr;

constexpr auto kBf16 = OperandType::bf16, kE4M3 = OperandType::e4m3, kE5M2 = OperandType::e5m2,
               kInt8 = OperandType::int8;

MatmulShape shape_of(OperandType weights, OperandType x, SumType sums) {
  return {.tokens = 7, .n = 48, .k = 32, .weights = weights, .x = x, .sums = sums};
}
MatmulShape resized(MatmulShape shape, int64_t tokens, int64_t n, int64_t k) {
  shape.tokens = tokens;
  shape.n = n;
  shape.k = k;
  return shape;
}

MatmulShape finished(MatmulShape shape, Finish finish) {
  shape.finish = finish;
  return shape;
}

const MatmulShape kFp8 = shape_of(kE4M3, kE4M3, SumType::bf16);
const MatmulShape kInteger = shape_of(kInt8, kInt8, SumType::i32);
const MatmulShape kPlain = shape_of(kBf16, kBf16, SumType::bf16);

TEST(MatmulShape, HasOneTextEach) {
  MatmulShape shape = shape_of(kE4M3, kE5M2, SumType::bf16);
  EXPECT_EQ(describe(shape), "7 x 48 x 32 e4m3 * e5m2 -> bf16");
  shape.fast_accumulation = true;
  EXPECT_EQ(describe(shape), "7 x 48 x 32 e4m3 * e5m2 -> bf16 fast");
  MatmulShape integers = kInteger;
  integers.fast_accumulation = true;  // no such choice
  EXPECT_EQ(describe(integers), describe(kInteger));
  EXPECT_EQ(describe(finished(shape, Finish::gelu)), "7 x 48 x 32 e4m3 * e5m2 -> bf16 fast gelu");
  EXPECT_EQ(describe(finished(kFp8, Finish::scaled_sum)), "7 x 48 x 32 e4m3 * e4m3 -> bf16 scaled");
}

TEST(MatmulShape, SupportsWhatTheManualLists) {
  for (const MatmulShape& shape :
       {kFp8, shape_of(kE4M3, kE5M2, SumType::bf16), shape_of(kE5M2, kE4M3, SumType::bf16),
        shape_of(kE4M3, kE4M3, SumType::f32), kInteger, kPlain,
        shape_of(kBf16, kBf16, SumType::f32), resized(kFp8, 1, 16, 16), resized(kInteger, 1, 4, 4),
        resized(kPlain, 1, 8, 8)})
    EXPECT_EQ(unsupported_reason(shape, 90), std::nullopt) << describe(shape);
  EXPECT_EQ(unsupported_reason(kFp8, 89), std::nullopt);
}

TEST(MatmulShape, RefusesTheRest) {
  const struct {
    MatmulShape shape;
    int capability;
    const char* reason;
  } cases[] = {
      {shape_of(kE5M2, kE5M2, SumType::bf16), 90, "e5m2 and e5m2"},
      {shape_of(kE4M3, kBf16, SumType::bf16), 90, "e4m3 and bf16"},
      {shape_of(kBf16, kE4M3, SumType::bf16), 90, "bf16 and e4m3"},
      {shape_of(kInt8, kE4M3, SumType::bf16), 90, "int8 and e4m3"},
      {shape_of(kInt8, kBf16, SumType::i32), 90, "int8 and bf16"},
      {shape_of(kE4M3, kE4M3, SumType::i32), 90, "cannot be i32"},
      {shape_of(kBf16, kBf16, SumType::i32), 90, "cannot be i32"},
      {shape_of(kInt8, kInt8, SumType::bf16), 90, "cannot be bf16"},
      {kFp8, 86, "compute capability 8.9, the device has 8.6"},
      {resized(kFp8, 7, 48, 40), 90, "k = 40 must be multiples of 16"},
      {resized(kFp8, 7, 40, 32), 90, "n = 40"},
      {resized(kInteger, 7, 6, 32), 90, "multiples of 4"},
      {resized(kPlain, 7, 48, 12), 90, "multiples of 8"},
      {resized(kFp8, 0, 48, 32), 90, "empty"},
      {finished(kFp8, Finish::scaled_sum), 89, "capability 9.0"},
      {finished(kPlain, Finish::scaled_sum), 90, "need FP8"},
      {finished(kInteger, Finish::gelu), 90, "BF16 for its bias"},
  };
  for (const auto& c : cases) {
    const auto reason = unsupported_reason(c.shape, c.capability);
    ASSERT_TRUE(reason) << describe(c.shape);
    EXPECT_THAT(*reason, HasSubstr(c.reason)) << describe(c.shape);
  }
}

class MatmulTest : public sim::SimulatedTest {
 protected:
  MatmulContext context_{sim::cublaslt(), h100()};
  StreamHandle stream_;
};

TEST_F(MatmulTest, DescribesTheProductToTheLibrary) {
  MatmulShape shape = shape_of(kE4M3, kE5M2, SumType::bf16);
  shape.fast_accumulation = true;
  const RandomProduct product(shape);
  Matmul matmul(context_, shape);
  matmul.use(sim::opaque(2));
  matmul.run(product.operands(), stream_.get());

  ASSERT_EQ(sim::cublaslt_calls().matmuls.size(), 1u);
  const sim::MatmulCall& call = sim::cublaslt_calls().matmuls[0];
  const sim::MatmulDescriptor& operation = call.problem.operation;
  EXPECT_EQ(operation.compute, CUBLAS_COMPUTE_32F);
  EXPECT_EQ(operation.scale, CUDA_R_32F);
  EXPECT_EQ(operation.get(CUBLASLT_MATMUL_DESC_TRANSA), uint64_t{CUBLAS_OP_T});
  EXPECT_EQ(operation.get(CUBLASLT_MATMUL_DESC_TRANSB), uint64_t{CUBLAS_OP_N});
  EXPECT_EQ(operation.get(CUBLASLT_MATMUL_DESC_FAST_ACCUM), 1u);
  // Nothing else is set: there are no scales, no bias and no epilogue, and the factors are on the
  // host.
  EXPECT_EQ(operation.attributes.size(), 3u);

  const auto expect_layout = [](const sim::MatrixLayout& layout, cudaDataType_t type, uint64_t rows,
                                uint64_t columns) {
    EXPECT_EQ(layout.type, type);
    EXPECT_EQ(layout.rows, rows);
    EXPECT_EQ(layout.columns, columns);
    EXPECT_EQ(layout.leading_dimension, static_cast<int64_t>(rows));
  };
  expect_layout(call.problem.a, CUDA_R_8F_E4M3, 32, 48);
  expect_layout(call.problem.b, CUDA_R_8F_E5M2, 32, 7);
  expect_layout(call.problem.c, CUDA_R_16BF, 48, 7);
  expect_layout(call.problem.d, CUDA_R_16BF, 48, 7);
  EXPECT_EQ(call.a, product.operands().weights);
  EXPECT_EQ(call.b, product.operands().x);
  EXPECT_EQ(call.d, product.operands().sums);
  EXPECT_EQ(call.alpha, 1);
  EXPECT_EQ(call.beta, 0);
  EXPECT_EQ(call.algorithm, 2);
  EXPECT_EQ(call.workspace, context_.workspace());
  EXPECT_EQ(call.workspace_bytes, size_t{32} << 20);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(call.workspace) % 256, 0u);
  EXPECT_EQ(call.stream, stream_.get());
}

TEST_F(MatmulTest, IntegersAreSummedAsIntegers) {
  const RandomProduct product(kInteger);
  Matmul matmul(context_, kInteger);
  matmul.use(sim::opaque(1));
  matmul.run(product.operands(), stream_.get());
  const sim::MatmulCall& call = sim::cublaslt_calls().matmuls.at(0);
  EXPECT_EQ(call.problem.operation.compute, CUBLAS_COMPUTE_32I);
  EXPECT_EQ(call.problem.operation.scale, CUDA_R_32I);
  EXPECT_EQ(call.problem.d.type, CUDA_R_32I);
  EXPECT_EQ(call.alpha, 1);
  EXPECT_EQ(call.beta, 0);
}

TEST_F(MatmulTest, AsksForAlgorithmsThatKeepSumsInFp32) {
  sim::set_algorithms({{.id = 4},
                       {.id = 5, .heuristic = CUBLAS_STATUS_NOT_SUPPORTED},
                       {.id = 6, .workspace_bytes = size_t{33} << 20},
                       {.id = 7, .workspace_bytes = size_t{32} << 20}});
  const Matmul matmul(context_, kFp8);
  const auto candidates = matmul.candidates(16);
  ASSERT_EQ(candidates.size(), 2u);
  EXPECT_EQ(candidates[1].data[5], sim::opaque(7).data[5]);
  EXPECT_EQ(matmul.candidates(1).size(), 1u);

  const sim::HeuristicRequest& request = sim::cublaslt_calls().heuristics.at(0);
  EXPECT_EQ(sim::cublaslt_calls().heuristics.size(), 2u);
  EXPECT_EQ(request.requested, 16);
  EXPECT_EQ(request.preferences.at(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES), 32u << 20);
  EXPECT_EQ(request.preferences.at(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK),
            uint64_t{CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE});
  for (const auto alignment :
       {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES})
    EXPECT_EQ(request.preferences.at(alignment), 16u);
}

TEST_F(MatmulTest, HasNoCandidatesWhereTheLibraryHasNone) {
  const Matmul matmul(context_, kFp8);
  sim::set_algorithms({});
  EXPECT_TRUE(matmul.candidates(16).empty());
  sim::fail_next_cublaslt("MatmulAlgoGetHeuristic", CUBLAS_STATUS_INTERNAL_ERROR);
  EXPECT_EQ(raised_by([&] { matmul.candidates(16); }).first, ErrorCode::device);
}

TEST_F(MatmulTest, AsksAgainForAnyAlgorithm) {
  const Matmul matmul(context_, kFp8);
  sim::fail_next_cublaslt("MatmulAlgoGetHeuristic", CUBLAS_STATUS_NOT_SUPPORTED);
  EXPECT_FALSE(matmul.candidates(16).empty());
  EXPECT_EQ(sim::cublaslt_calls().heuristics.at(0).preferences.at(
                CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK),
            uint64_t{CUBLASLT_REDUCTION_SCHEME_MASK});
}

TEST_F(MatmulTest, AcceptsWhatTheLibraryChecks) {
  sim::set_algorithms({{.id = 1},
                       {.id = 2, .check = CUBLAS_STATUS_NOT_SUPPORTED},
                       {.id = 3, .workspace_bytes = size_t{33} << 20}});
  const Matmul matmul(context_, kFp8);
  EXPECT_TRUE(matmul.accepts(sim::opaque(1)));
  EXPECT_FALSE(matmul.accepts(sim::opaque(2)));
  EXPECT_FALSE(matmul.accepts(sim::opaque(3)));  // more workspace than there is
  EXPECT_FALSE(matmul.accepts(sim::opaque(4)));  // unknown
}

TEST_F(MatmulTest, RefusesAnUnsupportedShape) {
  const auto [code, message] =
      raised_by([&] { Matmul(context_, shape_of(kE5M2, kE5M2, SumType::bf16)); });
  EXPECT_EQ(code, ErrorCode::unsupported);
  EXPECT_THAT(message, HasSubstr("7 x 48 x 32 e5m2 * e5m2"));
}

TEST_F(MatmulTest, ARefusedRunNamesTheProduct) {
  const RandomProduct product(kFp8);
  Matmul matmul(context_, kFp8);
  matmul.use(sim::opaque(1));
  sim::fail_next_cublaslt("Matmul", CUBLAS_STATUS_EXECUTION_FAILED);
  const auto [code, message] = raised_by([&] { matmul.run(product.operands(), stream_.get()); });
  EXPECT_EQ(code, ErrorCode::device);
  EXPECT_THAT(message, HasSubstr(describe(kFp8)));
  sim::fail_next_cublaslt("Matmul", CUBLAS_STATUS_EXECUTION_FAILED);
  EXPECT_FALSE(matmul.try_run(product.operands(), sim::opaque(1), stream_.get()));
}

TEST_F(MatmulTest, MisalignedOperandsAreABug) {
  const RandomProduct product(kFp8);
  Matmul matmul(context_, kFp8);
  MatmulOperands operands = product.operands();
  EXPECT_DEATH(matmul.run(operands, stream_.get()), "algorithm_");
  matmul.use(sim::opaque(1));
  operands.x = static_cast<const std::byte*>(operands.x) + 8;
  EXPECT_DEATH(matmul.run(operands, stream_.get()), "aligned");
}

TEST_F(MatmulTest, RunsWithoutAllocatingOrWaiting) {
  const RandomProduct product(kFp8);
  Matmul matmul(context_, kFp8);
  matmul.use(sim::opaque(1));
  const GraphExec graph =
      capture(stream_.get(), [&] { matmul.run(product.operands(), stream_.get()); });
  const sim::Counters before = sim::counters();
  matmul.run(product.operands(), stream_.get());
  graph.launch(stream_.get());
  EXPECT_EQ(sim::counters().allocations, before.allocations);
  EXPECT_EQ(sim::counters().synchronizations, before.synchronizations);
  EXPECT_EQ(sim::counters().launches, before.launches + 2);
}

// Whatever fails, nothing is left behind (the fixture checks this) and the error names the step.
TEST_F(MatmulTest, EveryFailureOfItsParts) {
  const std::pair<const char*, int> calls[] = {{"MatmulDescCreate", 1},
                                               {"MatmulDescSetAttribute", 3},
                                               {"MatrixLayoutCreate", 3},
                                               {"MatmulPreferenceCreate", 1},
                                               {"MatmulPreferenceSetAttribute", 6},
                                               {"MatmulAlgoGetHeuristic", 1}};
  MatmulShape shape = kFp8;
  shape.fast_accumulation = true;
  for (const auto& [function, times] : calls)
    for (int after = 0; after < times; ++after) {
      sim::fail_next_cublaslt(function, CUBLAS_STATUS_ALLOC_FAILED, after);
      const auto [code, message] = raised_by([&] { Matmul(context_, shape).candidates(4); });
      EXPECT_EQ(code, ErrorCode::limit) << function << " after " << after;
      EXPECT_THAT(message, HasSubstr(describe(shape)));
    }
}

TEST_F(MatmulTest, AContextThatCannotBeMade) {
  sim::fail_next_cublaslt("Create", CUBLAS_STATUS_NOT_INITIALIZED);
  EXPECT_EQ(raised_by([] { MatmulContext(sim::cublaslt(), h100()); }).first, ErrorCode::device);
  sim::fail_next("cudaMalloc", cudaErrorMemoryAllocation);
  EXPECT_EQ(raised_by([] { MatmulContext(sim::cublaslt(), h100()); }).first, ErrorCode::limit);
}

struct ResultCase {
  OperandType weights, x;
  SumType sums;
  int64_t tokens, n, k;
};
void PrintTo(const ResultCase& c, std::ostream* out) {
  *out << describe({c.tokens, c.n, c.k, c.weights, c.x, c.sums});
}

class MatmulResults : public MatmulTest, public testing::WithParamInterface<ResultCase> {};

TEST_P(MatmulResults, AreTheSumsOfProducts) {
  const auto& c = GetParam();
  const MatmulShape shape = {c.tokens, c.n, c.k, c.weights, c.x, c.sums};
  const RandomProduct product(shape);
  Matmul matmul(context_, shape);
  matmul.use(matmul.candidates(1).front());
  matmul.run(product.operands(), stream_.get());
  stream_.synchronize("the product");
  const std::vector<double> sums = product.sums(), exact = product.exact();
  // The bound is half a unit in the last of BF16's 8 bits or of FP32's 24, or zero.
  const double bound = c.sums == SumType::bf16  ? std::ldexp(1.0, -8)
                       : c.sums == SumType::f32 ? std::ldexp(1.0, -23)
                                                : 0.0;
  for (size_t i = 0; i < exact.size(); ++i)
    ASSERT_LE(std::abs(sums[i] - exact[i]), bound * std::abs(exact[i])) << "element " << i;
}

INSTANTIATE_TEST_SUITE_P(Types, MatmulResults,
                         testing::Values(ResultCase{kBf16, kBf16, SumType::bf16, 7, 24, 40},
                                         ResultCase{kBf16, kBf16, SumType::f32, 5, 24, 40},
                                         ResultCase{kE4M3, kE4M3, SumType::bf16, 1, 32, 48},
                                         ResultCase{kE4M3, kE4M3, SumType::bf16, 127, 48, 64},
                                         ResultCase{kE4M3, kE4M3, SumType::f32, 16, 32, 48},
                                         ResultCase{kE5M2, kE4M3, SumType::bf16, 13, 32, 48},
                                         ResultCase{kE4M3, kE5M2, SumType::bf16, 13, 32, 48},
                                         ResultCase{kInt8, kInt8, SumType::i32, 1, 20, 36},
                                         ResultCase{kInt8, kInt8, SumType::i32, 33, 48, 64}));

// Tests what the library is asked to do to the sums.
class MatmulFinish : public MatmulTest {
 protected:
  void run(const MatmulShape& shape, const RandomProduct& product) {
    Matmul matmul(context_, shape, {scale_.data(), bias_.data(), inverse_step_.data()});
    const auto candidates = matmul.candidates(1);
    ASSERT_EQ(candidates.size(), 1u) << describe(shape);
    EXPECT_TRUE(matmul.accepts(candidates.front()));
    matmul.use(candidates.front());
    matmul.run(product.operands(), stream_.get());
    stream_.synchronize("the product");
  }
  double gelu(double sum, size_t n, double scale) const {
    const double x = sum * scale + static_cast<double>(BFloat16Codec::decode(host_bias_[n]));
    return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
  }

  static std::vector<float> scales() {
    std::vector<float> all(48);
    for (size_t i = 0; i < all.size(); ++i) all[i] = 0.01f * static_cast<float>(i + 1);
    return all;
  }
  static std::vector<uint16_t> biases() {
    std::vector<uint16_t> all(48);
    for (size_t i = 0; i < all.size(); ++i)
      all[i] = static_cast<uint16_t>(BFloat16Codec::encode(0.1f * static_cast<float>(i) - 2));
    return all;
  }

  const std::vector<float> host_scale_ = scales();
  const std::vector<uint16_t> host_bias_ = biases();
  const DeviceBuffer<float> scale_ = upload(host_scale_, "scales");
  const DeviceBuffer<uint16_t> bias_ = upload(host_bias_, "bias");
  const DeviceBuffer<float> inverse_step_ = upload(std::vector<float>{32}, "step");
};

TEST_F(MatmulFinish, ScalesByChannel) {
  const RandomProduct product(kFp8);
  run(finished(kFp8, Finish::scaled_sum), product);
  const auto sums = product.sums(), exact = product.exact();
  for (size_t i = 0; i < exact.size(); ++i) {
    const double expected = exact[i] * static_cast<double>(host_scale_[i % 48]);
    ASSERT_NEAR(sums[i], expected, std::ldexp(std::abs(expected), -8)) << i;
  }
}

TEST_F(MatmulFinish, GeluOfBf16) {
  const RandomProduct product(kPlain);
  run(finished(kPlain, Finish::gelu), product);
  const auto results = product.sums(), exact = product.exact();
  for (size_t i = 0; i < exact.size(); ++i) {
    const double expected = gelu(exact[i], i % 48, 1);
    ASSERT_NEAR(results[i], expected, std::ldexp(std::abs(expected), -8) + 1e-12) << i;
  }
}

TEST_F(MatmulFinish, GeluOfFp8IsTheNextOperand) {
  const RandomProduct product(kFp8);
  run(finished(kFp8, Finish::gelu), product);
  const auto& problem = sim::cublaslt_calls().matmuls.back().problem;
  EXPECT_EQ(problem.c.type, CUDA_R_16BF);
  EXPECT_EQ(problem.d.type, CUDA_R_8F_E4M3);
  std::vector<uint8_t> codes(7 * 48);
  copy_to_host(codes.data(), product.operands().sums, codes.size(), nullptr);
  const auto exact = product.exact();
  for (size_t i = 0; i < exact.size(); ++i) {
    const double expected = gelu(exact[i], i % 48, static_cast<double>(host_scale_[0]));
    ASSERT_EQ(codes[i], encode(Format::e4m3, static_cast<float>(expected * 32), 1.0f)) << i;
  }
}

}  // namespace
}  // namespace fp8q::cuda
