#include "tests/conformance/node_tests.h"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <stdexcept>

#include "base/file.h"
#include "onnx/load.h"
#include "onnx/read_tensor.h"
#include "tests/support/paths.h"

namespace fp8q::test {
namespace {

Tensor read_tensor_file(const fs::path& path) {
  onnx::TensorProto proto;
  if (!proto.ParseFromString(read_file(path, uint64_t{1} << 30)))
    throw std::runtime_error(path.string() + " is not a tensor");
  Payloads none;
  return read_tensor(proto, path.string(), none);
}

std::map<std::string, Tensor> read_values(const fs::path& folder, const char* kind,
                                          const std::vector<ValueInfo>& values) {
  std::map<std::string, Tensor> tensors;
  for (size_t i = 0; i < values.size(); ++i)
    tensors[values[i].name] = read_tensor_file(folder / fmt::format("{}_{}.pb", kind, i));
  return tensors;
}

}  // namespace

std::vector<std::string> node_test_ids() {
  std::vector<std::string> ids;
  if (fs::is_directory(conformance_node_dir()))
    for (const auto& entry : fs::directory_iterator(conformance_node_dir()))
      if (fs::exists(entry.path() / "model.onnx")) ids.push_back(entry.path().filename());
  std::ranges::sort(ids);
  return ids;
}

NodeTestCase load_node_test(const std::string& id) {
  const fs::path folder = conformance_node_dir() / id;
  NodeTestCase test;
  test.model = load_model(folder / "model.onnx");
  const fs::path data = folder / "test_data_set_0";
  test.inputs = read_values(data, "input", test.model.graph.inputs);
  test.outputs = read_values(data, "output", test.model.graph.outputs);
  return test;
}

}  // namespace fp8q::test
