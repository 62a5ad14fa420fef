// Lists and reads the ONNX node tests.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "graph/model.h"

namespace fp8q::test {

// Returns the directories below conformance_node_dir(), sorted. Returns none if it is absent.
std::vector<std::string> node_test_ids();

struct NodeTestCase {
  Model model;
  std::map<std::string, Tensor> inputs;
  std::map<std::string, Tensor> outputs;
};
NodeTestCase load_node_test(const std::string& id);

}  // namespace fp8q::test
