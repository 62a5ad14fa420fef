// A Mul by factors of channels is recognized by its constant alone: powers of two, not all the
// same.
#include "graph/channel_factors.h"

#include <gtest/gtest.h>

#include <cmath>

namespace fp8q::test {
namespace {

std::optional<ChannelFactors> found_in(const std::string& op_type, const Tensor& constant,
                                       bool constant_first = false) {
  Graph graph;
  graph.initializers["c"] = constant;
  Node node;
  node.op_type = op_type;
  node.inputs =
      constant_first ? std::vector<std::string>{"c", "x"} : std::vector<std::string>{"x", "c"};
  node.outputs = {"y"};
  graph.nodes = {node};
  const GraphIndex index(graph);
  const ContentsOf contents = [&](const std::string& value) { return index.initializer(value); };
  return find_channel_factors(index, "y", contents);
}

TEST(ChannelFactors, PowersOfTwoOverTheLastDimension) {
  const std::vector<float> factors = {0.5f, 1.0f, 0x1p-20f, 64.0f};
  for (const bool first : {false, true}) {
    const auto found = found_in("Mul", Tensor::of<float>({4}, factors), first);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->factors, factors);
    EXPECT_EQ(found->input, "x");
  }
}

TEST(ChannelFactors, NothingElse) {
  EXPECT_FALSE(found_in("Add", Tensor::of<float>({2}, {0.5f, 1.0f})));
  EXPECT_FALSE(found_in("Mul", Tensor::of<float>({2}, {0.5f, 3.0f}))) << "a gamma";
  EXPECT_FALSE(found_in("Mul", Tensor::of<float>({2}, {1.0f, 1.0f}))) << "a gamma before training";
  EXPECT_FALSE(found_in("Mul", Tensor::of<float>({2}, {0.5f, -1.0f})));
  EXPECT_FALSE(found_in("Mul", Tensor::of<float>({2}, {0.5f, 0.0f})));
  EXPECT_FALSE(found_in("Mul", Tensor::of<float>({2}, {0.5f, INFINITY})));
  EXPECT_FALSE(found_in("Mul", Tensor::of<float>({2, 1}, {0.5f, 1.0f}))) << "along another axis";
  EXPECT_FALSE(found_in("Mul", Tensor::scalar(0.125f))) << "a scale";
}

}  // namespace
}  // namespace fp8q::test
