// Plans of memory hold: what a command allocates stays below its plan, the plan is not absurd, and
// a run that is limited to its plan ends well.
#include <gmock/gmock.h>

#include "tests/cli/demo_folder.h"
#include "tests/cli/large_model.h"

namespace fp8q::test {
namespace {

using testing::HasSubstr;

constexpr size_t kMebibyte = 1 << 20;

class MemoryPlans : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "sanitizers take memory of their own";
#endif
    folder_ = here_.path() / "model";
    if (is_demo()) {
      fs::copy(source_dir() / "models" / "demo-sst2", folder_);
    } else {
      fs::create_directory(folder_);
      // Its weights are in a second file, as those of models beyond 2 GiB are.
      write_large_model({.layers = 6, .hidden = 512, .inner = 2048, .max_proto_bytes = 1 << 20},
                        folder_);
      EXPECT_LT(fs::file_size(folder_ / "model.onnx"), kMebibyte);
    }
  }
  bool is_demo() const { return std::string(GetParam()) == "demo"; }

  ProcessResult run(std::vector<std::string> arguments, ProcessOptions options = {}) const {
    options.folder = folder_;
    options.watch_memory = true;
    arguments.insert(arguments.end(), {"--json", "-"});
    return run_fp8q(arguments, options);
  }

  // Runs a command, and again with its plan as the limit of what the program and the system allow.
  void expect_honest(const std::vector<std::string>& arguments) const {
    const ProcessResult first = run(arguments);
    ASSERT_EQ(first.exit_code, 0) << first.err;
    const size_t planned = planned_bytes(first);
    const std::string what = arguments[0] + " " + arguments.back();
    EXPECT_LE(first.peak_anonymous_bytes, planned) << what;
    EXPECT_LE(planned, 2 * first.peak_anonymous_bytes) << what;

    std::vector<std::string> limited = arguments;
    limited.insert(limited.end(), {"--max-memory", std::to_string(planned + kMebibyte)});
    // Beside resident memory, RLIMIT_DATA counts stacks and what the allocator keeps.
    const ProcessResult second = run(limited, {.data = planned + planned / 4 + 32 * kMebibyte});
    EXPECT_EQ(second.exit_code, 0) << what << second.err;
    EXPECT_LE(second.peak_anonymous_bytes, planned + kMebibyte) << what;

    limited.back() = std::to_string(planned / 3);
    const ProcessResult refused = run(limited);
    EXPECT_EQ(refused.exit_code, 8) << what;
    EXPECT_THAT(refused.err, HasSubstr("MiB of --max-memory; "));
    EXPECT_LT(refused.peak_anonymous_bytes, planned / 3 + 16 * kMebibyte) << what;
  }

  void expect_bounded(const std::vector<std::string>& arguments) const {
    const ProcessResult r = run(arguments);
    ASSERT_EQ(r.exit_code, 0) << r.err;
    EXPECT_LE(r.peak_anonymous_bytes, planned_bytes(r)) << arguments[0];
  }

  static size_t planned_bytes(const ProcessResult& result) {
    const auto all = nlohmann::json::parse(result.out);
    const auto& facts = all.contains("models") ? all["models"].back() : all;
    return facts["planned_memory_bytes"].get<size_t>();
  }

  TemporaryFolder here_;
  fs::path folder_;
};

TEST_P(MemoryPlans, AreBoundsOfWhatCommandsTake) {
  const std::vector<std::string> few = {"--threads", "2", "--device", "cpu"};
  const auto with = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), few.begin(), few.end());
    return arguments;
  };
  expect_honest(with({"calibrate", "model.onnx", "--force", "--examples", is_demo() ? "64" : "8"}));
  for (const char* format : {"int8", "e4m3"})
    expect_honest({"convert", "model.onnx", "--force", "--format", format});
  const std::string limit = is_demo() ? "320" : "16";
  for (const char* model : {"model.onnx", "model.int8.onnx", "model.e4m3.onnx"})
    expect_honest(with({"eval", model, "--task", "sst2", "--no-baseline", "--limit", limit}));
  if (!is_demo()) return;
  expect_bounded(with({"compare", "model.onnx", "model.e4m3.onnx"}));
  expect_bounded(with(
      {"sensitivity", "model.onnx", "--recipe", "e4m3", "--formats", "int8", "--examples", "8"}));
  expect_bounded(with({"tune", "model.onnx", "--task", "sst2", "--recipe", "int8", "--max-drop",
                       "1", "--limit", "64", "-o", "plan.json"}));
}

INSTANTIATE_TEST_SUITE_P(Models, MemoryPlans, testing::Values("demo", "larger"),
                         [](const auto& model) { return std::string(model.param); });

class MaxMemory : public DemoFolder {};

TEST_F(MaxMemory, TakesSizesAsUsersWriteThem) {
  for (const char* size :
       {"2G", "1.5g", "900M", "900MB", "900MiB", "1000000K", "0.5T", "2147483648"})
    EXPECT_EQ(in_folder({"inspect", "model.onnx", "--max-memory", size}).exit_code, 0) << size;
  for (const char* size : {"", "0", "-1", "M", "12X", "1e9", "nan", "1.5.2G", "9999999999T", "2 G",
                           "512iB", "5BB", "1MiBB"})
    EXPECT_THAT(fails({"inspect", "model.onnx", "--max-memory", size}, 2), HasSubstr("512M"))
        << size;
}

TEST_F(MaxMemory, SmallerBatchesFitWithTheSameBytes) {
  const auto statistics = [&](const std::string& memory) {
    ok({"calibrate", "model.onnx", "--force", "--examples", "64", "--batch", "64", "--device",
        "cpu", "--threads", "2", "--max-memory", memory});
    return bytes("model.calib.json");
  };
  const auto planned = [&](const char* batch) {
    return ok_json({"calibrate", "model.onnx", "--force", "--examples", "64", "--batch", batch,
                    "--threads", "2"})["planned_memory_bytes"]
        .get<size_t>();
  };
  const size_t least = planned("1"), most = planned("64");
  ASSERT_GT(most, least + 4 * kMebibyte);
  EXPECT_EQ(statistics(std::to_string((least + most) / 2)), statistics("4G"));
}

TEST_F(MaxMemory, AModelThatDoesNotFitIsStillInspected) {
  const ProcessResult r = in_folder({"inspect", "model.onnx", "--max-memory", "16M"});
  EXPECT_EQ(r.exit_code, 0) << r.err;
  EXPECT_THAT(r.out, HasSubstr("MiB of --max-memory"));
}

}  // namespace
}  // namespace fp8q::test
