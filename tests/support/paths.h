// Tells where tests find their inputs.
//
// The shared folder (example models, GLUE data, conformance files) is not part of the repository.
// The CMake option FP8Q_SHARED_DIR names it, and the environment variable of the same name
// overrides the option. A test that needs a file of it says FP8Q_SKIP_WITHOUT(path). If the file is
// absent, the test is reported as skipped, with the path.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>

namespace fp8q::test {

std::filesystem::path source_dir();                            // the repository
std::filesystem::path shared_path(const std::string& inside);  // ../shared/<inside>

// Returns the folder of an example model such as "minilm-l6-sst2" or "minilm-l6-sst2-dynamo".
// scripts/test.sh builds them in <build>/models. The environment variable FP8Q_MODELS_DIR overrides
// that folder.
std::filesystem::path example_model(const std::string& name);

// Returns the folder of the unpacked ONNX node tests, <build>/conformance/node, with one folder for
// each test. FP8Q_CONFORMANCE_DIR overrides it.
std::filesystem::path conformance_node_dir();

// Makes a fresh folder, which is removed with everything in it at the end of the scope.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  // Writes a file into the folder and returns its path.
  std::filesystem::path write(const std::string& name, const std::string& content) const;

 private:
  std::filesystem::path path_;
};

}  // namespace fp8q::test

#define FP8Q_SKIP_WITHOUT(path)                                           \
  do {                                                                    \
    if (!std::filesystem::exists(path))                                   \
      GTEST_SKIP() << "needs " << (path).string() << ", which is absent"; \
  } while (false)
