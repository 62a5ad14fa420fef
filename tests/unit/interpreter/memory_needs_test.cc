#include "interpreter/memory_needs.h"

#include <gtest/gtest.h>

#include <utility>

namespace fp8q {
namespace {

constexpr int64_t kValueSize = 1000;
constexpr uint64_t kValueBytes = kValueSize * sizeof(float);

Node needs_node(const std::string& op_type, std::vector<std::string> inputs,
                const std::string& output) {
  Node made;
  made.op_type = op_type;
  made.inputs = std::move(inputs);
  made.outputs = {output};
  return made;
}

// y = Relu(Relu(x)) + (w + w)
Model small_model() {
  Model model;
  model.opsets[""] = 21;
  const ValueInfo x{.name = "x", .dtype = DType::f32, .has_shape = true, .shape = {{-1, "n"}}};
  model.graph.inputs = {x};
  model.graph.outputs = {x};
  model.graph.outputs[0].name = "y";
  model.graph.initializers["w"] = Tensor(DType::f32, {kValueSize});
  model.graph.nodes = {needs_node("Relu", {"x"}, "a"), needs_node("Relu", {"a"}, "b"),
                       needs_node("Add", {"w", "w"}, "c"), needs_node("Add", {"b", "c"}, "y")};
  return model;
}

TEST(InterpreterNeeds, AreConstantsAndWhatIsAliveAtOnce) {
  const InterpreterNeeds needs = interpreter_needs(small_model(), {{"x", {kValueSize}}});
  EXPECT_EQ(needs.constants, kValueBytes);  // c
  // Two of a, b and y are alive at once, and a result is formed in double.
  EXPECT_EQ(needs.run, 2 * kValueBytes + 2 * kValueBytes);
}

TEST(InterpreterNeeds, GrowWithTheInput) {
  Model model = small_model();
  model.graph.initializers["w"] = Tensor(DType::f32, {1});
  EXPECT_EQ(interpreter_needs(model, {{"x", {10 * kValueSize}}}).run, 40 * kValueBytes);
}

}  // namespace
}  // namespace fp8q
