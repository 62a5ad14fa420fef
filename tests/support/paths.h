// Where tests find their inputs.
//
// The shared folder (example models, GLUE data, conformance files) is not part of the repository.
// Its place is the CMake option FP8Q_SHARED_DIR, overridden by the environment variable of the same
// name; a test that needs a file of it says FP8Q_SKIP_WITHOUT(path) and is reported as skipped,
// with the path, where it is absent.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>

namespace fp8q::test {

std::filesystem::path source_dir();                            // the repository
std::filesystem::path shared_path(const std::string& inside);  // ../shared/<inside>

// A folder of an example model, as "minilm-l6-sst2" or "minilm-l6-sst2-dynamo": built by
// scripts/test.sh into <build>/models, overridden by the environment variable FP8Q_MODELS_DIR.
std::filesystem::path example_model(const std::string& name);

// The unpacked ONNX node tests, <build>/conformance/node, with one folder a test; overridden by
// FP8Q_CONFORMANCE_DIR.
std::filesystem::path conformance_node_dir();

// A fresh folder, removed with everything in it at the end of the scope.
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
