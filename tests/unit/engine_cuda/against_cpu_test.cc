// Compares the GPU engine with the CPU engine on encoders of real sizes and ragged batches of up to
// 5,000 tokens. On the simulated device the encoders are small.

#include <gtest/gtest.h>

#include "encoder/random_encoder.h"
#include "engine/cuda/cuda_engine.h"
#include "study/bench_encoder.h"
#include "tests/unit/engine_cuda/any_device.h"

namespace fp8q::test {
namespace {

struct Size {
  RandomShape shape;
  size_t sequences, length;  // ragged: from a quarter of the length to all of it
};

std::vector<Size> sizes() {
#ifdef FP8Q_CUDA_SIMULATION
  return {{{"heads of 32", 1, 64, 2, 128, 100, 64}, 3, 40},
          {{"heads of 128", 1, 128, 1, 96, 100, 64}, 2, 30}};
#else
  return {{{"one sequence", 2, 384, 12, 1536, 1000, 512}, 1, 16},
          {{"minilm", 2, 384, 12, 1536, 1000, 512}, 40, 200},
          {{"base", 2, 768, 12, 3072, 1000, 512}, 16, 500},
          {{"large", 2, 1024, 16, 4096, 1000, 512}, 13, 384},
          {{"heads of 128", 2, 1024, 8, 4096, 1000, 512}, 9, 512},
          {{"narrow", 2, 32, 1, 64, 1000, 512}, 100, 90}};
#endif
}

double relative_error(const std::vector<float>& got, const std::vector<float>& expected) {
  double error = 0, size = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    error += (got[i] - expected[i]) * (got[i] - expected[i]);
    size += expected[i] * expected[i];
  }
  return error / size;
}

class AgainstCpu : public DeviceTest {};

// The residual stream is rounded to BF16 four times in two layers, each time by a mean square of at
// most (2^-9)^2 / 3 of its own; four times that leaves room for what the layers add to it, computed
// from the rounded stream, which is small (weights of deviation 0.02). Codes round the same values
// with steps that BF16 does not change, or, where tokens have scales, by 2^-9 at most: a scale is
// off no more than the largest value that it is made of. Without attention alone the difference
// would be about 4e-4.
constexpr double kTolerance = 4 * 4 / (512.0 * 512 * 3);

TEST_F(AgainstCpu, HiddenStatesAgreeInEveryFormat) {
  for (const Size& size : sizes()) {
    Encoder plain = random_encoder(size.shape);
    plain.outputs.push_back({"hidden", {}, {}});
    const std::vector<float> absmax = observed_absmax(plain, 1);
    const PackedBatch batch = random_batch(
        {size.sequences, size.length, size.shape.vocabulary, /*ragged=*/true, /*seed=*/7});
    for (const char* format : {"bf16", "e4m3", "e5m2", "int8", "int8-dynamic", "e4m3-dynamic"}) {
      SCOPED_TRACE(testing::Message() << size.shape.name << ", " << format);
      const Recipe* recipe = recipe_named(format);
      const Encoder encoder = recipe ? quantized_encoder(plain, *recipe, absmax) : plain;
      const auto expected = make_cpu_engine(encoder, ComputeType::automatic)->run(batch);
      for (const bool fast : {false, true}) {
        cuda::CudaEngine gpu(encoder, device_table(), *cuda::find_device().device,
                             {.fast_accumulation = fast, .choice = cuda::AlgorithmChoice::first});
        const auto outputs = gpu.run(batch, nullptr);
        const double error = relative_error(outputs[1].values, expected[1].values);
        RecordProperty(std::string(format) + (fast ? " fast" : ""), std::to_string(error));
        EXPECT_LE(error, kTolerance) << (fast ? "fast accumulation" : "");
      }
    }
  }
}

// GELU in the tanh form, which cuBLASLt makes part of the product where every channel has one
// scale.
TEST_F(AgainstCpu, GeluWithinItsProduct) {
  for (const Size& size : sizes()) {
    Encoder plain = random_encoder(size.shape);
    for (EncoderLayer& layer : plain.layers) layer.activation = Activation::gelu_tanh;
    plain.outputs.push_back({"hidden", {}, {}});
    const PackedBatch batch = random_batch(
        {size.sequences, size.length, size.shape.vocabulary, /*ragged=*/true, /*seed=*/7});
    Recipe recipe = *recipe_named("e4m3");
    recipe.weight_granularity = Granularity::tensor;
    for (const bool quantized : {false, true}) {
      SCOPED_TRACE(testing::Message() << size.shape.name << (quantized ? ", e4m3" : ", bf16"));
      const Encoder encoder =
          quantized ? quantized_encoder(plain, recipe, observed_absmax(plain, 1)) : plain;
      const auto expected = make_cpu_engine(encoder, ComputeType::automatic)->run(batch);
      cuda::CudaEngine gpu(encoder, device_table(), *cuda::find_device().device,
                           {.choice = cuda::AlgorithmChoice::first});
      EXPECT_LE(relative_error(gpu.run(batch, nullptr)[1].values, expected[1].values), kTolerance);
    }
  }
}

}  // namespace
}  // namespace fp8q::test
