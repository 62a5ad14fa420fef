// Where the ONNX node tests are, and what is in them.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "graph/model.h"

namespace fp8q::test {

// The environment variable FP8Q_CONFORMANCE_DIR, or where the build unpacked them.
std::filesystem::path node_tests_root();

// The directories below the root, sorted; none where the root is absent.
std::vector<std::string> node_test_ids();

struct NodeTestCase {
  Model model;
  std::map<std::string, Tensor> inputs;
  std::map<std::string, Tensor> outputs;
};
NodeTestCase load_node_test(const std::string& id);

}  // namespace fp8q::test
