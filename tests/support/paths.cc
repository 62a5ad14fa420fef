#include "tests/support/paths.h"

#include <cstdlib>
#include <fstream>
#include <string>

namespace fp8q::test {
namespace fs = std::filesystem;

namespace {
fs::path from_environment(const char* variable, fs::path otherwise) {
  const char* value = std::getenv(variable);
  return value && *value ? fs::path(value) : otherwise;
}
}  // namespace

fs::path source_dir() { return FP8Q_SOURCE_DIR; }

fs::path shared_path(const std::string& inside) {
  return from_environment("FP8Q_SHARED_DIR", FP8Q_SHARED_DIR) / inside;
}

fs::path example_model(const std::string& name) {
  return from_environment("FP8Q_MODELS_DIR", fs::path(FP8Q_BINARY_DIR) / "models") / name;
}

fs::path conformance_node_dir() {
  return from_environment("FP8Q_CONFORMANCE_DIR",
                          fs::path(FP8Q_BINARY_DIR) / "conformance" / "node");
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (fs::temp_directory_path() / "fp8q-test-XXXXXX").string();
  if (!mkdtemp(name.data())) throw std::runtime_error("no temporary folder: " + name);
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

fs::path TemporaryFolder::write(const std::string& name, const std::string& content) const {
  const fs::path path = path_ / name;
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

}  // namespace fp8q::test
