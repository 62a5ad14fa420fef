// These models break the rules of their operators. Whatever is changed in a node test, running it
// ends in a result or in an Error, and takes little memory. (Run under sanitizers, this also finds
// reads and writes outside of tensors.)
#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <span>

#include "fp8q/error.h"
#include "interpreter/interpreter.h"
#include "interpreter/operator.h"
#include "tests/conformance/node_tests.h"
#include "tests/support/paths.h"

namespace fp8q::test {
namespace {

class Mutator {
 public:
  explicit Mutator(uint32_t seed) : random_(seed) {}

  void change(NodeTestCase& test) {
    Graph& graph = test.model.graph;
    Node& node = graph.nodes[below(graph.nodes.size())];
    switch (below(6)) {
      case 0:
        test.model.opsets[""] = 1 + static_cast<int64_t>(below(27));
        break;
      case 1:
        node.op_type = operators_[below(operators_.size())].name;
        break;
      case 2:
        if (!node.inputs.empty()) node.inputs[below(node.inputs.size())] = any_value(graph);
        break;
      case 3:
        node.inputs.push_back(any_value(graph));
        break;
      case 4:
        change_attribute(node);
        break;
      default:
        change_input(test);
    }
  }

 private:
  size_t below(size_t n) { return random_() % n; }

  // None of these numbers makes a tensor that is large but fits in memory.
  int64_t any_integer() {
    constexpr int64_t kInteresting[] = {
        std::numeric_limits<int64_t>::min(), -7, -1, 0, 1, 2, 3, int64_t{1} << 40,
        std::numeric_limits<int64_t>::max()};
    return kInteresting[below(std::size(kInteresting))];
  }

  std::string any_value(const Graph& graph) {
    if (graph.inputs.empty() || below(4) == 0) return "";
    return graph.inputs[below(graph.inputs.size())].name;
  }

  void change_attribute(Node& node) {
    constexpr const char* kNames[] = {"axis", "block_size", "batch_dims",
                                      "to",   "perm",       "num_outputs"};
    if (node.attributes.empty() || below(4) == 0)
      node.attributes[kNames[below(std::size(kNames))]] = any_integer();
    auto at = node.attributes.begin();
    std::advance(at, below(node.attributes.size()));
    Attribute& attribute = at->second;
    if (auto* one = std::get_if<int64_t>(&attribute)) *one = any_integer();
    else if (auto* list = std::get_if<std::vector<int64_t>>(&attribute)) {
      if (list->empty() || below(3) == 0) list->push_back(any_integer());
      else (*list)[below(list->size())] = any_integer();
    } else if (below(8) == 0) {
      attribute = any_integer();  // of another type
    }
  }

  void change_input(NodeTestCase& test) {
    auto& inputs = test.model.graph.inputs;
    if (inputs.empty()) return;
    ValueInfo& info = inputs[below(inputs.size())];
    Tensor& tensor = test.inputs[info.name];
    constexpr DType kTypes[] = {DType::f32,     DType::i64, DType::i32, DType::u8,
                                DType::boolean, DType::f16, DType::e4m3};
    constexpr int64_t kDims[] = {0, 1, 2, 3};
    switch (below(3)) {
      case 0:
        tensor = tensor.to(kTypes[below(std::size(kTypes))]);
        break;
      case 1: {
        Shape shape(below(4));
        for (int64_t& d : shape) d = kDims[below(std::size(kDims))];
        tensor = Tensor(tensor.dtype(), shape);
        break;
      }
      default:
        if (tensor.dtype() == DType::i64 && tensor.size() > 0)
          tensor.mutable_data<int64_t>()[below(static_cast<size_t>(tensor.size()))] = any_integer();
    }
    info.dtype = tensor.dtype();
    info.has_shape = false;
  }

  std::mt19937 random_;
  std::span<const Operator> operators_ = all_operators();
};

TEST(Hostile, ChangedNodeTestsEndInAResultOrAnError) {
  FP8Q_SKIP_WITHOUT(conformance_node_dir());
  constexpr int kChangedModels = 12;  // of each test
  size_t refused = 0;
  size_t run = 0;
  uint32_t seed = 0;
  for (const std::string& id : node_test_ids()) {
    const NodeTestCase original = load_node_test(id);
    for (int i = 0; i < kChangedModels; ++i) {
      SCOPED_TRACE(id + " with seed " + std::to_string(++seed));
      NodeTestCase test = original;
      Mutator mutator(seed);
      for (int changes = 0; changes <= i % 3; ++changes) mutator.change(test);
      try {
        Interpreter(test.model).run(test.inputs);
        ++run;
      } catch (const Error& error) {
        EXPECT_NE(error.code(), ErrorCode::internal) << error.what();
        ++refused;
      }
    }
  }
  EXPECT_GT(run, refused / 10);
  EXPECT_GT(refused, run / 10);
}

}  // namespace
}  // namespace fp8q::test
