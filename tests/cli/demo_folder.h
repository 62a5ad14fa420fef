// Defines a fixture that has the demo model in a folder of its own and runs the program there.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/support/paths.h"
#include "tests/support/process.h"

namespace fp8q::test {

namespace fs = std::filesystem;

class DemoFolder : public testing::Test {
 protected:
  void SetUp() override {
    const fs::path demo = source_dir() / "models" / "demo-sst2";
    ASSERT_TRUE(fs::exists(demo / "model.onnx"));
    fs::copy(demo, folder(), fs::copy_options::recursive);
  }

  fs::path folder() const { return temporary_.path() / "demo"; }

  ProcessResult in_folder(const std::vector<std::string>& arguments) const {
    return run_fp8q(arguments, {.folder = folder()});
  }
  // Runs the program, expects success, and returns standard output.
  std::string ok(const std::vector<std::string>& arguments) const {
    const ProcessResult r = in_folder(arguments);
    EXPECT_EQ(r.exit_code, 0) << r.err;
    return r.out;
  }
  nlohmann::json ok_json(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--json", "-"});
    return nlohmann::json::parse(ok(arguments));
  }
  // Runs the program, expects the exit code, and returns standard error.
  std::string fails(const std::vector<std::string>& arguments, int exit_code) const {
    const ProcessResult r = in_folder(arguments);
    EXPECT_EQ(r.exit_code, exit_code) << r.err;
    return r.err;
  }
  std::string bytes(const std::string& name) const {
    std::ifstream in(folder() / name, std::ios::binary);
    EXPECT_TRUE(in) << name;
    std::stringstream s;
    s << in.rdbuf();
    return s.str();
  }

  TemporaryFolder temporary_;
};

}  // namespace fp8q::test
