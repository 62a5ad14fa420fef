// Measures how much memory running a converted model takes, and compares it with docs/commands.md.

#include <gtest/gtest.h>

#include <string>

#include "tests/support/paths.h"
#include "tests/support/process.h"

namespace fp8q::test {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMiB = 1 << 20;
// These are the sizes of MiniLM-L6.
constexpr size_t kHidden = 384, kInner = 1536;
constexpr size_t kTokensPerThread = 512 + 128, kThreads = 2;  // and one sequence more
constexpr size_t kBytesPerToken = 4 * (2 * kHidden + 3 * kInner) + 1024;

class Memory : public testing::Test {
 protected:
  // Converts MiniLM-L6 in a folder of its own.
  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "sanitizers take memory of their own";
#endif
    const fs::path model = example_model("minilm-l6-sst2");
    FP8Q_SKIP_WITHOUT(model / "model.onnx");
    FP8Q_SKIP_WITHOUT(data_);
    fs::create_symlink(model / "model.onnx", here_.path() / "model.onnx");
    for (const char* name : {"tokenizer.json", "config.json"})
      fs::copy(model / name, here_.path() / name);
    run({"calibrate", "model.onnx", "--task", "sst2", "--data", data_.string(), "--examples", "8"});
    for (const char* format : kFormats) run({"convert", "model.onnx", "--format", format});
  }
  ProcessResult run(const std::vector<std::string>& arguments, const std::string& isa = "") const {
    ProcessOptions options{.folder = here_.path()};
    if (!isa.empty()) options.environment["FP8Q_ISA"] = isa;
    ProcessResult r = run_fp8q(arguments, options);
    EXPECT_EQ(r.exit_code, 0) << r.err;
    return r;
  }
  size_t peak_of_eval(const std::string& format, size_t examples, const std::string& isa) const {
    return run({"eval", "model." + format + ".onnx", "--task", "sst2", "--data", data_.string(),
                "--no-baseline", "--threads", "2", "--limit", std::to_string(examples)},
               isa)
        .peak_bytes;
  }
  size_t weights(const std::string& format) const {
    return fs::file_size(here_.path() / ("model." + format + ".onnx"));
  }

  static constexpr const char* kFormats[] = {"e4m3", "int8"};
  const fs::path data_ = shared_path("data/glue");
  TemporaryFolder here_;
};

TEST_F(Memory, IsThatOfTheWeightsAndABoundPerToken) {
  for (const char* format : kFormats)
    EXPECT_LE(peak_of_eval(format, 872, ""),
              weights(format) + 64 * kMiB + kThreads * kTokensPerThread * kBytesPerToken)
        << format;
}

// Half of the allowed memory suffices. FP32 panels, which take four times the memory of the codes,
// would not fit.
TEST_F(Memory, WeightsStayInEightBits) {
  for (const char* format : kFormats) {
    const size_t peak = peak_of_eval(format, 1, "avx2");
    EXPECT_LE(peak, weights(format) + 32 * kMiB) << format;
    EXPECT_GE(peak, 24 * kMiB) << "was it measured?";  // more than this program, which forks, takes
  }
}

}  // namespace
}  // namespace fp8q::test
