#include "graph/graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>

#include "base/error.h"
#include "graph/origins.h"
#include "graph/site.h"

namespace fp8q {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Node node(std::string op, std::vector<std::string> inputs, std::vector<std::string> outputs) {
  Node n;
  n.op_type = std::move(op);
  n.inputs = std::move(inputs);
  n.outputs = std::move(outputs);
  return n;
}

// Makes x -> A -> a -> B(a, w) -> y, given in the wrong order.
Graph small_graph() {
  Graph g;
  g.inputs = {{.name = "x"}};
  g.outputs = {{.name = "y"}};
  g.initializers["w"] = Tensor::scalar(1.0f);
  g.nodes = {node("B", {"a", "w"}, {"y"}), node("A", {"x", ""}, {"a"})};
  return g;
}

std::vector<std::string> order(const Graph& g) {
  std::vector<std::string> names;
  for (const auto& n : g.nodes) names.push_back(n.op_type);
  return names;
}

std::string sort_error(Graph g) {
  try {
    sort_topologically(g);
  } catch (const Error& e) {
    EXPECT_EQ(e.code(), ErrorCode::bad_model);
    return e.what();
  }
  return "";
}

TEST(Sort, PutsProducersFirst) {
  Graph g = small_graph();
  sort_topologically(g);
  EXPECT_THAT(order(g), ElementsAre("A", "B"));
}

TEST(Sort, KeepsAnOrderThatIsValid) {
  Graph g = small_graph();
  g.nodes = {node("C", {"x"}, {"c"}), node("A", {"x"}, {"a"}), node("B", {"a", "c"}, {"y"})};
  sort_topologically(g);
  EXPECT_THAT(order(g), ElementsAre("C", "A", "B"));
}

TEST(Sort, NamesWhatIsWrong) {
  Graph cycle = small_graph();
  cycle.nodes[1].inputs[0] = "y";
  EXPECT_THAT(sort_error(cycle), HasSubstr("cycle"));
  Graph missing = small_graph();
  missing.nodes[0].inputs[1] = "nobody";
  EXPECT_THAT(sort_error(missing), HasSubstr("\"nobody\" is made by no node"));
  Graph twice = small_graph();
  twice.nodes.push_back(node("A", {"x"}, {"a"}));
  EXPECT_THAT(sort_error(twice), HasSubstr("\"a\" is made more than once"));
  Graph output = small_graph();
  output.outputs[0].name = "z";
  EXPECT_THAT(sort_error(output), HasSubstr("\"z\" is made by no node"));
}

TEST(Index, FindsProducersAndUses) {
  const Graph g = small_graph();
  const GraphIndex index(g);
  EXPECT_EQ(index.producer_index("a"), 1u);
  EXPECT_EQ(index.producer("x"), nullptr);
  EXPECT_THAT(index.uses("w"), ElementsAre(Use{0, 1}));
  EXPECT_TRUE(index.uses("y").empty());
  EXPECT_TRUE(index.is_graph_output("y"));
  EXPECT_NE(index.initializer("w"), nullptr);
}

TEST(RemoveUnused, DropsDeadNodesAndInitializers) {
  Graph g = small_graph();
  sort_topologically(g);
  g.nodes.push_back(node("Dead", {"a", "v"}, {"d"}));
  g.initializers["v"] = Tensor::scalar(2.0f);
  remove_unused(g);
  EXPECT_THAT(order(g), ElementsAre("A", "B"));
  EXPECT_FALSE(g.initializers.contains("v"));
  EXPECT_TRUE(g.initializers.contains("w"));
}

TEST(Attributes, HaveDefaultsAndTypes) {
  Node n = node("Op", {}, {"out"});
  n.attributes["axis"] = int64_t{2};
  EXPECT_EQ(int_attribute(n, "axis", -1), 2);
  EXPECT_EQ(int_attribute(n, "absent", -1), -1);
  EXPECT_THROW(float_attribute(n, "axis", 0), Error);
}

TEST(FreshNames, AvoidTheGraphsAndItsOwn) {
  FreshNames fresh(small_graph());
  EXPECT_EQ(fresh("a"), "a_2");
  EXPECT_EQ(fresh("a"), "a_3");
  EXPECT_EQ(fresh("new"), "new");
  EXPECT_EQ(fresh("x"), "x_2");
  FreshNames dotted('.');
  dotted.use("a.2");
  EXPECT_EQ(dotted("a"), "a");
  EXPECT_EQ(dotted("a"), "a.3");
}

// Names and walks through the graph take linear time: squares would be hours here.
TEST(Graph, LargeGraphsTakeLinearTime) {
  constexpr int kNodes = 50'000;
  Model m;
  m.graph.inputs = {{.name = "v0"}, {.name = "z"}};
  for (int i = 0; i < kNodes; ++i) {
    m.graph.nodes.push_back(
        node("Identity", {"v" + std::to_string(i)}, {"v" + std::to_string(i + 1)}));
    m.graph.nodes.push_back(
        node("MatMul", {"v" + std::to_string(i), "z"}, {"y" + std::to_string(i)}));
    m.graph.nodes.back().name = "one name for all";
    m.graph.outputs.push_back({.name = "y" + std::to_string(i)});
  }
  const std::clock_t start = std::clock();
  EXPECT_EQ(generic_sites(m).size(), size_t{kNodes} + 1);
  const GraphIndex index(m.graph);
  FreshNames fresh(m.graph);
  for (const Node& n : m.graph.nodes) {
    fresh("v0");
    index.is_graph_output(n.outputs[0]);
  }
  EXPECT_LT(std::clock() - start, 5 * CLOCKS_PER_SEC);
}

TEST(Origins, LookThroughNodesThatKeepWhatMatters) {
  Graph g;
  g.inputs = {{.name = "x"}};
  g.initializers["w"] = Tensor(DType::f32, {2, 3, 4});
  g.nodes = {node("Softmax", {"x"}, {"p"}),
             node("Where", {"c", "x", "p"}, {"guarded"}),
             node("Where", {"c", "p", "x"}, {"other"}),
             node("Dropout", {"guarded"}, {"dropped"}),
             node("Relu", {"p"}, {"relu"}),
             node("Cast", {"w"}, {"wide"}),
             node("Transpose", {"wide"}, {"turned"}),
             node("Reshape", {"w", "s"}, {"shaped"})};
  const Origins origins(g);
  EXPECT_TRUE(origins.comes_from_softmax("dropped"));
  EXPECT_FALSE(origins.comes_from_softmax("other"));
  EXPECT_FALSE(origins.comes_from_softmax("relu"));
  EXPECT_EQ(origins.rank_of("turned"), 3);
  EXPECT_EQ(origins.rank_of("shaped"), std::nullopt);
}

}  // namespace
}  // namespace fp8q
