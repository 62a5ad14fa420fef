// Real models load, and survive being written.
#include <algorithm>
#include <filesystem>

#include "onnx/load.h"
#include "onnx/save.h"
#include "onnx/upgrade.h"
#include "tests/support/paths.h"
#include "tests/unit/onnx/build.h"

namespace fp8q::test {
namespace {

void expect_round_trip(const Model& model, const fs::path& path) {
  std::string bytes = serialize_model(model);
  const Model again = parse_model(bytes, path.string());
  EXPECT_EQ(first_difference(model, again), std::nullopt) << path;
  EXPECT_EQ(bytes, serialize_model(again)) << path;
}

TEST(Files, ConformanceModels) {
  const fs::path node = conformance_node_dir();
  FP8Q_SKIP_WITHOUT(node);
  size_t count = 0;
  for (const auto& entry : fs::directory_iterator(node)) {
    const fs::path path = entry.path() / "model.onnx";
    if (!fs::exists(path)) continue;
    expect_round_trip(load_model(path), path);
    ++count;
  }
  EXPECT_GE(count, 415U);
}

class ExampleModels : public testing::TestWithParam<const char*> {};

TEST_P(ExampleModels, SurviveWritingAndUpgrading) {
  const fs::path path = example_model(GetParam()) / "model.onnx";
  FP8Q_SKIP_WITHOUT(path);
  Model model = load_model(path);
  const TemporaryFolder folder;
  save_model(model, folder.path() / "copy.onnx");  // compares what it wrote
  EXPECT_EQ(first_difference(model, load_model(folder.path() / "copy.onnx")), std::nullopt);
  const size_t nodes = model.graph.nodes.size();
  upgrade_opset(model);
  EXPECT_EQ(model.opset(), 21);
  EXPECT_EQ(model.graph.nodes.size(), nodes);
  save_model(model, folder.path() / "upgraded.onnx", {.max_proto_bytes = 1 << 20});
  EXPECT_EQ(first_difference(model, load_model(folder.path() / "upgraded.onnx")), std::nullopt);
}

INSTANTIATE_TEST_SUITE_P(All, ExampleModels,
                         testing::Values("minilm-l6-sst2", "minilm-l6-mrpc", "minilm-l6-stsb",
                                         "minilm-l6-squad", "minilm-l6-sst2-dynamo",
                                         "minilm-l6-mrpc-dynamo", "minilm-l6-stsb-dynamo",
                                         "minilm-l6-squad-dynamo"),
                         [](const auto& param) {
                           std::string name = param.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST(Files, DemoModel) {
  const fs::path path = source_dir() / "models/demo-sst2/model.onnx";
  FP8Q_SKIP_WITHOUT(path);
  expect_round_trip(load_model(path), path);
}

}  // namespace
}  // namespace fp8q::test
