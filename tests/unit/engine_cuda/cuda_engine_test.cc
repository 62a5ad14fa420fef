// Tests the GPU engine as a whole: it is compared with the definition in double arithmetic at every
// Site, and its use of the device is checked. The tests run on the simulated device, and on a GPU
// if there is one.

#include "engine/cuda/cuda_engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "fp8q/error.h"
#include "tests/unit/engine/tiny_encoder.h"
#include "tests/unit/engine_cuda/any_device.h"

namespace fp8q::test {
namespace {

using cuda::CudaEngine;
using testing::HasSubstr;

// Sets sizes that the kernels take.
TinyOptions sized(TinyOptions options) {
  options.hidden = 64;
  options.heads = 2;
  options.inner = 80;
  return options;
}

std::unique_ptr<CudaEngine> make(const Encoder& encoder, int64_t micro_batch_tokens = 0) {
  return std::make_unique<CudaEngine>(encoder, device_table(), *cuda::find_device().device,
                                      cuda::CudaOptions{.choice = cuda::AlgorithmChoice::first,
                                                        .micro_batch_tokens = micro_batch_tokens});
}

struct Variant {
  std::string name;
  TinyOptions options;
};
void PrintTo(const Variant& variant, std::ostream* out) { *out << variant.name; }

std::vector<Variant> variants() {
  std::vector<Variant> all = {
      {"bf16", {}},
      {"transposed", {.transposed = true}},
      {"every_token", {.head = TinyHead::every_token}},
      {"no_head", {.head = TinyHead::none}},
      {"gelu_tanh", {.activation = Activation::gelu_tanh}},
      {"relu", {.activation = Activation::relu}},
      {"int8_tables", {.table_type = DType::i8}},
      {"query_scale", {.query_scale = 0.25f}},
      {"functions_on_the_host",
       {.pooled = {RowFunction::mean, RowFunction::normalize}, .answer = {RowFunction::softmax}}},
      {"padding", {.padding_id = 7}},
  };
  for (const Format f : kEveryFormat) {
    const std::string n(info(f).name);
    all.push_back({n, {.activations = f, .weights = f}});
    all.push_back({n + "_per_tensor_transposed",
                   {.activations = f, .weights = f, .channel_scales = false, .transposed = true}});
    all.push_back({n + "_weights_only", {.weights = f}});
    all.push_back({n + "_activations_only", {.activations = f}});
    all.push_back({n + "_tokens", {.activations = f, .weights = f, .per_token = true}});
    all.push_back(
        {n + "_separate_query",
         {.activations = f, .weights = f, .separate_query_scale = true, .query_scale = 0.5f}});
  }
  all.push_back({"e4m3_gelu_tanh",
                 {.activations = Format::e4m3,
                  .weights = Format::e4m3,
                  .channel_scales = false,
                  .activation = Activation::gelu_tanh}});
  all.push_back({"int8_tokens_activations_only", {.activations = Format::int8, .per_token = true}});
  all.push_back(
      {"int8_tokens_factors",
       {.activations = Format::int8, .weights = Format::int8, .per_token = true, .factors = true}});
  all.push_back({"e4m3_tokens_gelu_tanh",
                 {.activations = Format::e4m3,
                  .weights = Format::e4m3,
                  .per_token = true,
                  .channel_scales = false,
                  .activation = Activation::gelu_tanh}});
  all.push_back({"e4m3_tokens_separate_query",
                 {.activations = Format::e4m3,
                  .weights = Format::e4m3,
                  .per_token = true,
                  .factors = true,
                  .separate_query_scale = true}});
  all.push_back(
      {"int8_factors", {.activations = Format::int8, .weights = Format::int8, .factors = true}});
  all.push_back({"e4m3_factors_gelu_tanh",
                 {.activations = Format::e4m3,
                  .weights = Format::e4m3,
                  .factors = true,
                  .channel_scales = false,
                  .activation = Activation::gelu_tanh}});
  all.push_back({"mixed_floats", {.activations = Format::e5m2, .weights = Format::e4m3}});
  all.push_back({"mixed", {.activations = Format::e5m2, .weights = Format::int8}});
  return all;
}

// Between two Sites a value passes BF16 at most four times (operands, weights, sums, the residual
// stream), each within 2^-9 of its size; LayerNorm gives sizes of about 1 and up to 4.
void expect_close(const std::vector<float>& got, const std::vector<double>& expected) {
  constexpr double kBf16 = 1.0 / 512;
  ASSERT_EQ(got.size(), expected.size());
  double error = 0, size = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    ASSERT_NEAR(got[i], expected[i], 8 * kBf16 * (2 + std::fabs(expected[i]))) << "element " << i;
    error += (got[i] - expected[i]) * (got[i] - expected[i]);
    size += expected[i] * expected[i];
  }
  EXPECT_LE(error, 4 * 4 * kBf16 * kBf16 * size) << "root mean square";
}

// Sums in BF16 on one side and the bias on the other are within 2^-9 of their size. Of E4M3 codes,
// a half step of 2^-4 apart, a share of 2^-4 is then the neighbor, 2^-3 away at most: a root mean
// square of 1/4 * 1/8 in the FFN's inside. Six deviations, of values of size 1.
constexpr double kFusionTolerance = 0.2;

class CudaEngineTest : public DeviceTest, public testing::WithParamInterface<Variant> {};

TEST_P(CudaEngineTest, ComputesWhatTheDefinitionSaysAtEverySite) {
  const Encoder encoder = tiny_encoder(sized(GetParam().options));
  const auto engine = make(encoder);
  for (const size_t tokens : {1, 7, 64}) {
    SCOPED_TRACE(tokens);
    const PackedBatch batch = tiny_batch({tokens});
    Observed observed;
    const auto outputs =
        engine->run(batch, [&](int site, std::span<const float> x, int64_t columns) {
          EXPECT_GT(columns, 0);
          EXPECT_EQ(x.size() % static_cast<size_t>(columns), 0u);
          observed[site].insert(observed[site].end(), x.begin(), x.end());
        });
    const auto expected = naive_forward(encoder, batch.ids, batch.type_ids, observed);
    EXPECT_EQ(observed.size(), expected.computed.size());
    for (const auto& [site, values] : expected.computed) {
      SCOPED_TRACE(encoder.sites[static_cast<size_t>(site)].path);
      expect_close(observed[site], values);
    }
    ASSERT_EQ(outputs.size(), expected.outputs.size());
    for (size_t o = 0; o < outputs.size(); ++o)
      expect_close(outputs[o].values, expected.outputs[o]);
  }
}

TEST_P(CudaEngineTest, PackingAndGraphsChangeNothing) {
  const Encoder encoder = tiny_encoder(sized(GetParam().options));
  const auto engine = make(encoder, 100);
  std::vector<size_t> lengths;
  for (size_t i = 0; i < 5; ++i) lengths.push_back(1 + i * 29 % 60);  // two micro-batches
  const PackedBatch batch = tiny_batch(lengths);
  const auto together = engine->run(batch, nullptr);
  const auto again = engine->run(batch, nullptr);
  const auto observed = engine->run(batch, [](int, std::span<const float>, int64_t) {});
  for (size_t o = 0; o < together.size(); ++o) {
    EXPECT_EQ(again[o].values, together[o].values);
    // An observer sees what GELU makes, so then GELU is not part of a product that rounds its bias.
    const double tolerance =
        GetParam().options.activation == Activation::gelu_tanh ? kFusionTolerance : 0;
    for (size_t i = 0; i < together[o].values.size(); ++i)
      ASSERT_NEAR(observed[o].values[i], together[o].values[i], tolerance) << "without graphs";
  }
  std::vector<std::vector<double>> singly(together.size());
  for (size_t s = 0; s < batch.sequences(); ++s) {
    const auto slice = [&](const std::vector<int32_t>& x) {
      return std::vector<int32_t>(x.begin() + batch.offsets[s], x.begin() + batch.offsets[s + 1]);
    };
    PackedBatch one;
    one.append(slice(batch.ids), slice(batch.type_ids));
    const auto outputs = engine->run(one, nullptr);
    for (size_t o = 0; o < outputs.size(); ++o)
      singly[o].insert(singly[o].end(), outputs[o].values.begin(), outputs[o].values.end());
  }
  for (size_t o = 0; o < singly.size(); ++o) {
    ASSERT_EQ(singly[o].size(), together[o].values.size());
    for (size_t i = 0; i < singly[o].size(); ++i)
      ASSERT_NEAR(together[o].values[i], singly[o][i], kPackingTolerance);
  }
}

INSTANTIATE_TEST_SUITE_P(Variants, CudaEngineTest, testing::ValuesIn(variants()),
                         [](const auto& p) { return p.param.name; });

class CudaEngineUse : public DeviceTest {
 protected:
  const Encoder encoder_ =
      tiny_encoder(sized({.activations = Format::e4m3, .weights = Format::e4m3}));
};

TEST_F(CudaEngineUse, NamesTheKernelOfEverySite) {
  const auto engine = make(encoder_);
  for (const KernelChoice& k : engine->kernels()) EXPECT_NE(k.effective, "not used") << k.path;
  EXPECT_THAT(engine->description(), HasSubstr("cuBLASLt"));
}

TEST_F(CudaEngineUse, ProfileAccountsForEveryOperation) {
  const auto engine = make(encoder_);
  const PackedBatch batch = tiny_batch({20, 12});
  double operations = 0;
  for (const StageTime& stage : engine->profile(batch)) {
    EXPECT_GE(stage.seconds, 0) << stage.stage;
    operations += stage.operations;
  }
  const double linear = 32 * (4 * 64 * 64 + 2 * 64 * 80), attention = 2 * 64 * (20 * 20 + 12 * 12);
  EXPECT_DOUBLE_EQ(operations, 2 * 2 * (linear + attention)) << "of two layers";
}

TEST_F(CudaEngineUse, RefusesSizesItHasNoKernelsFor) {
  const auto message = [&](const TinyOptions& options) -> std::string {
    try {
      make(tiny_encoder(options));
    } catch (const Error& e) {
      EXPECT_EQ(e.code(), ErrorCode::unsupported);
      return e.what();
    }
    return "";
  };
  EXPECT_THAT(message({.hidden = 32, .heads = 4}), HasSubstr("heads of 8 channels"));
  EXPECT_THAT(message({.hidden = 36, .heads = 3}), HasSubstr("a width of 36"));
  EXPECT_THAT(message({.head = TinyHead::mean, .hidden = 64, .heads = 2}),
              HasSubstr("pooler reads mean of tokens"));
  EXPECT_THAT(message({.activations = Format::int8,
                       .weights = Format::int8,
                       .per_token = true,
                       .hidden = 64,
                       .heads = 2,
                       .inner = 8208}),
              HasSubstr("tokens of 8208 channels"));
}

TEST_F(CudaEngineUse, RefusesWhatTheTablesCannotTake) {
  const auto engine = make(encoder_);
  PackedBatch batch = tiny_batch({5});
  batch.ids[3] = 50;
  EXPECT_THROW(engine->run(batch, nullptr), Error);
  engine->run(tiny_batch({5}), nullptr);  // and goes on
}

}  // namespace
}  // namespace fp8q::test
