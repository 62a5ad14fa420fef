// Where the system gives fewer threads or less memory than asked for, commands do with less, or end
// with the exit code for it.
#include <gtest/gtest.h>

#include <set>

#include "tests/cli/demo_folder.h"

namespace fp8q::test {
namespace {

class Limits : public DemoFolder {
 protected:
  void SetUp() override {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "sanitizers need a large address space";
#endif
    DemoFolder::SetUp();
    ok({"calibrate", "model.onnx", "--examples", "4", "-q"});
    ok({"convert", "-q"});
  }

  ProcessResult limited(const std::vector<std::string>& arguments, size_t megabytes) const {
    return run_fp8q(arguments, {.folder = folder(), .address_space = megabytes << 20});
  }

  const std::vector<std::vector<std::string>> commands_ = {
      {"calibrate", "model.onnx", "--examples", "4", "-o", "again.calib.json", "--force"},
      {"eval", "model.e4m3.onnx", "--task", "sst2", "--limit", "4"},
      {"compare", "model.onnx", "model.e4m3.onnx", "--examples", "2"},
      {"bench", "model.onnx", "--batch", "1", "--length", "8", "--repeat", "1"},
      {"sensitivity", "model.onnx", "--examples", "2"}};
};

// The stacks of 256 threads do not fit into the address space.
TEST_F(Limits, FewerThreadsThanAskedFor) {
  for (std::vector<std::string> arguments : commands_) {
    arguments.insert(arguments.end(), {"--device", "cpu", "--threads", "256"});
    const ProcessResult r = limited(arguments, 900);
    EXPECT_TRUE(std::set({0, 8}).contains(r.exit_code)) << arguments[0] << r.exit_code << r.err;
  }
}

TEST_F(Limits, LessMemoryThanNeeded) {
  for (std::vector<std::string> arguments : commands_) {
    arguments.insert(arguments.end(), {"--device", "cpu", "--threads", "2"});
    for (const size_t megabytes : {60, 120, 240}) {
      const ProcessResult r = limited(arguments, megabytes);
      // 127: not even the libraries can be loaded.
      EXPECT_TRUE(std::set({0, 8, 127}).contains(r.exit_code))
          << arguments[0] << " with " << megabytes << " MB: " << r.exit_code << r.err;
    }
  }
}

}  // namespace
}  // namespace fp8q::test
