// Runs one test per directory of the ONNX node tests: loads model.onnx, runs it in the interpreter
// on the stored inputs and compares with the stored outputs.
//
// The directories are found when the program starts. skips.txt lists the tests that fail, with
// reasons.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "interpreter/interpreter.h"
#include "interpreter/operator.h"
#include "tests/conformance/comparison.h"
#include "tests/conformance/node_tests.h"
#include "tests/support/paths.h"

namespace fp8q::test {
namespace {

// The set of ONNX 1.22.0 has 421 tests. A lower count means that it was not found in full.
constexpr size_t kFewestTests = 415;

std::map<std::string, std::string> skips() {
  std::map<std::string, std::string> reasons;
  std::ifstream file(FP8Q_CONFORMANCE_SKIPS);
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream words(line);
    std::string id;
    words >> id;
    std::getline(words >> std::ws, reasons[id]);
  }
  return reasons;
}

// Returns what is wrong with the result of one test, or an empty text if nothing is.
std::string run_test(const std::string& id) {
  const NodeTestCase test = load_node_test(id);
  const auto outputs = Interpreter(test.model).run(test.inputs);
  for (const auto& [name, expected] : test.outputs) {
    const std::string text = difference(outputs.at(name), expected);
    if (!text.empty()) return "output " + name + ": " + text;
  }
  return {};
}

class NodeTest : public ::testing::Test {
 public:
  explicit NodeTest(std::string id) : id_(std::move(id)) {}

  void TestBody() override {
    std::string problem;
    try {
      problem = run_test(id_);
    } catch (const std::exception& error) {
      problem = error.what();
    }
    const auto reasons = skips();
    const auto skip = reasons.find(id_);
    if (skip == reasons.end()) {
      EXPECT_EQ(problem, "");
    } else if (problem.empty()) {
      FAIL() << "passes, but is listed in skips.txt: " << skip->second;
    } else {
      GTEST_SKIP() << skip->second;
    }
  }

 private:
  std::string id_;
};

const bool kRegistered = [] {
  for (const std::string& id : node_test_ids())
    ::testing::RegisterTest("Conformance", id.c_str(), nullptr, nullptr, __FILE__, __LINE__,
                            [id]() -> ::testing::Test* { return new NodeTest(id); });
  return true;
}();

TEST(ConformanceSet, IsComplete) {
  FP8Q_SKIP_WITHOUT(conformance_node_dir());
  EXPECT_TRUE(kRegistered);
  EXPECT_GE(node_test_ids().size(), kFewestTests) << conformance_node_dir();
}

TEST(ConformanceSet, EverySkipNamesATestAndAReason) {
  FP8Q_SKIP_WITHOUT(conformance_node_dir());
  const auto ids = node_test_ids();
  for (const auto& [id, reason] : skips()) {
    EXPECT_TRUE(std::ranges::binary_search(ids, id)) << id;
    EXPECT_NE(reason, "") << id;
  }
}

// All operators that the set tests are supported, and none of their tests is skipped.
TEST(ConformanceSet, CoversTheOperatorsItTests) {
  FP8Q_SKIP_WITHOUT(conformance_node_dir());
  std::set<std::string> supported;
  for (const Operator& op : all_operators())
    if (op.domain.empty()) supported.emplace(op.name);
  std::set<std::string> tested;
  for (const std::string& id : node_test_ids())
    for (const Node& node : load_node_test(id).model.graph.nodes) tested.insert(node.op_type);
  EXPECT_GE(tested.size(), 57u);
  EXPECT_TRUE(std::ranges::includes(supported, tested));
}

}  // namespace
}  // namespace fp8q::test
