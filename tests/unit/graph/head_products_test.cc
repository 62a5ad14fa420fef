#include "graph/head_products.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fp8q::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

Node node(std::string op, std::vector<std::string> inputs, std::string output,
          std::map<std::string, Attribute> attributes = {}) {
  return {.op_type = std::move(op),
          .inputs = std::move(inputs),
          .outputs = {std::move(output)},
          .attributes = std::move(attributes)};
}

Graph graph_with(const Node& norm) {
  Graph graph;
  graph.initializers["axes"] = Tensor::of<int64_t>({1}, {-1});
  graph.nodes = {node("MatMul", {"x", "w"}, "a"),     // before the normalization
                 norm,                                // a -> b
                 node("Gemm", {"b", "w"}, "pooled"),  // pooler
                 node("Tanh", {"pooled"}, "t"),
                 node("MatMul", {"t", "w"}, "y"),       // classifier
                 node("MatMul", {"b", "a"}, "mixed")};  // another output
  graph.outputs = {{"y", DType::f32, false, {}}, {"mixed", DType::f32, false, {}}};
  return graph;
}

TEST(HeadProducts, LieBehindTheLastNormalization) {
  const std::vector<int64_t> last = {-1}, tokens = {1};
  for (const Node& norm :
       {node("LayerNormalization", {"a", "w"}, "b"), node("RMSNormalization", {"a", "w"}, "b"),
        node("ReduceMean", {"a"}, "b", {{"axes", last}}), node("ReduceMean", {"a", "axes"}, "b")}) {
    const Graph graph = graph_with(norm);
    EXPECT_THAT(head_products(GraphIndex(graph)), ElementsAre(2, 4, 5)) << norm.op_type;
  }
  for (const Node& other : {node("ReduceMean", {"a"}, "b", {{"axes", tokens}}),
                            node("ReduceMean", {"a"}, "b"), node("Relu", {"a"}, "b")}) {
    const Graph graph = graph_with(other);
    EXPECT_THAT(head_products(GraphIndex(graph)), IsEmpty()) << "nothing tells the head apart";
  }
}

}  // namespace
}  // namespace fp8q::test
