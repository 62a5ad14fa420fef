// Tests what executing nodes may cost: memory, work, and loops over nothing.
#include "interpreter/budget.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <ctime>

#include "fp8q/error.h"
#include "interpreter/abstract.h"
#include "tests/support/errors.h"
#include "unit/interpreter/graphs.h"

namespace fp8q::test {
namespace {

using testing::HasSubstr;

constexpr int64_t kHuge = int64_t{1} << 40;
using Attributes = std::map<std::string, Attribute>;

Tensor list(const std::vector<int64_t>& values) {
  return Tensor::of<int64_t>({static_cast<int64_t>(values.size())}, values);
}

// Returns the processor time of `action`, which may raise an Error that is not ours.
template <typename Action>
double seconds_of(const Action& action) {
  const std::clock_t start = std::clock();
  const auto [code, message] = raised_by(action);
  EXPECT_NE(code, ErrorCode::internal) << message;
  return static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
}

// Makes ConstantOfShape(n) -> "x" and one node that reads it (and y, z = the rest).
Model on_zeros(const std::vector<int64_t>& shape, Node reader,
               std::map<std::string, Tensor> constants = {}) {
  constants["n"] = list(shape);
  return model(21, {}, {node("ConstantOfShape", {"n"}, {"x"}), std::move(reader)}, {"out"},
               std::move(constants));
}

// Expects that both ways of executing a model refuse it with this message.
void expect_refused(const Model& m, const std::string& part) {
  const double seconds = seconds_of([&] {
    expect_error(ErrorCode::limit, part, [&] { Interpreter{m}; });
    expect_error(ErrorCode::limit, part, [&] { evaluate_abstractly(m, {}); });
  });
  EXPECT_LT(seconds, 2);
}

TEST(Budget, ProductsCount) {
  expect_refused(on_zeros({1 << 20, 1}, node("MatMul", {"x", "row"}, {"out"}),
                          {{"row", Tensor(DType::f32, {1, 1 << 20})}}),
                 "MatMul \"out\"");
  // The results are small, but each is a sum of very many products.
  const auto long_sums = [](const std::string& op, std::vector<std::string> inputs, Attributes a) {
    return on_zeros({2048, 2048}, node(op, std::move(inputs), {"out"}, std::move(a)));
  };
  expect_refused(long_sums("MatMul", {"x", "x"}, {}), "million steps");
  expect_refused(long_sums("Gemm", {"x", "x"}, {{"transA", int64_t{1}}}), "million steps");
  expect_refused(long_sums("Einsum", {"x", "x"}, {{"equation", std::string("ab,cd->")}}),
                 "million steps");
}

// Many nodes that read much and keep nothing add up.
TEST(Budget, WorkOfAllNodesAddsUp) {
  Model m = on_zeros({1 << 20}, node("Neg", {"x"}, {"out"}));
  for (int i = 0; i < 1000; ++i)
    m.graph.nodes.push_back(
        node("ReduceSum", {"x"}, {fmt::format("sum{}", i)}, {{"keepdims", int64_t{0}}}));
  expect_refused(m, "million steps");
}

// A view of the same bytes is no more weight than one tensor.
TEST(Budget, BytesThatTensorsShareCountOnce) {
  const Tensor weight(DType::f32, {1 << 18});  // 1 MB
  const auto filled = [&](size_t names) {
    Model m = on_zeros({1 << 24}, node("Identity", {"x"}, {"out"}));  // 64 MB
    for (size_t i = 0; i < names; ++i) m.graph.initializers[fmt::format("w{}", i)] = weight;
    return m;
  };
  expect_refused(filled(64), "ConstantOfShape \"x\"");
  Model more = filled(0);
  more.graph.initializers["w"] = Tensor(DType::f32, {16 << 18});  // 16 MB of its own
  EXPECT_NO_THROW(evaluate_abstractly(more, {}));
}

TEST(Budget, ScratchCounts) {
  // The result is one element, and on the way there are 80 MB in double precision.
  expect_refused(on_zeros({10 << 20}, node("ReduceSum", {"x"}, {"out"})), "while it runs");
}

TEST(Budget, ARunIsLimitedByItsInputs) {
  const Model m =
      model(21, {input("n", DType::i64, {1})},
            {node("ConstantOfShape", {"shape"}, {"x"}), node("MatMul", {"x", "x"}, {"y"}),
             node("Cast", {"n"}, {"f"}, {{"to", int64_t{1}}}), node("Add", {"f", "w"}, {"g"}),
             node("Expand", {"g", "large"}, {"h"}), node("MatMul", {"h", "h"}, {"out"})},
            {"out"},
            {{"shape", list({8, 8})}, {"w", Tensor::scalar(1.0f)}, {"large", list({1024, 1024})}});
  expect_error(ErrorCode::limit, "MatMul \"out\"", [&] { Interpreter(m).run({{"n", list({1})}}); });
}

// A chain of results that wait for one another is computed, and freed, without deep recursion.
TEST(Budget, ChainsOfDelayedResultsAreShort) {
  constexpr int kNodes = 200;
  const auto value = [](int i) { return fmt::format("v{}", i); };
  Model m = model(21, {}, {}, {value(kNodes)}, {{value(0), Tensor(DType::f32, {257, 257})}});
  m.graph.initializers["weight"] = Tensor(DType::u8, {4 << 20});  // lets the model cost so much
  for (int i = 0; i < kNodes; ++i)
    m.graph.nodes.push_back(node("Identity", {value(i)}, {value(i + 1)}));
  const AbstractValues values = evaluate_abstractly(m, {});
  EXPECT_FALSE(values.at(value(3)).contents.is_made() &&
               values.at(value(kNodes)).contents.is_made());
  for (int i = 0; i <= kNodes; ++i) EXPECT_LE(values.at(value(i)).contents.links(), 16u);
  EXPECT_TRUE(identical(*values.at(value(kNodes)).contents, m.graph.initializers.at(value(0))));
}

TEST(Budget, RanksAreLimited) {
  std::vector<int64_t> axes(1000);
  for (size_t i = 0; i < axes.size(); ++i) axes[i] = static_cast<int64_t>(i);
  const Model m = model(21, {}, {node("Unsqueeze", {"x", "axes"}, {"out"})}, {"out"},
                        {{"x", Tensor::scalar(1.0f)}, {"axes", list(axes)}});
  const std::string message = error_of(ErrorCode::limit, [&] { Interpreter{m}; });
  EXPECT_THAT(message, HasSubstr("(1000 numbers)"));
  EXPECT_LT(message.size(), 400u);
}

// An equation may be as long as a file, and most ways to read one compare all pairs of letters.
TEST(Budget, LongEquationsAreRefusedAtOnce) {
  const std::string text(1 << 20, 'a');
  const Model m = model(21, {}, {node("Einsum", {"x"}, {"out"}, {{"equation", text}})}, {"out"},
                        {{"x", Tensor::scalar(1.0f)}});
  EXPECT_LT(seconds_of([&] { Interpreter{m}; }), 0.5);
}

// Tensors without elements may have huge dimensions: no operator may walk over them.
// Returns attributes that operators have, so that most nodes get past their rules.
Attributes attributes_for(const Operator& op, int64_t axis) {
  Attributes all;
  for (const RequiredAttribute& required : op.signature.attributes) {
    const std::string name(required.name);
    if (required.type == AttributeType::integers) all[name] = std::vector<int64_t>{0, 0};
    else if (name == "to" && required.type == AttributeType::text) all[name] = std::string("FLOAT");
    else if (name == "equation") all[name] = std::string("ab,bc->ac");
    else if (!name.empty()) all[name] = int64_t{1};
  }
  if (op.name != "Einsum") all["axis"] = axis;
  return all;
}

void run_on_nothing(const Operator& op) {
  const std::vector<Tensor> tensors = {
      Tensor(DType::f32, {kHuge, 0}), Tensor(DType::f32, {0, kHuge}),
      Tensor(DType::f32, {0}),        Tensor::scalar(1.0f),
      Tensor(DType::i64, {0, kHuge}), Tensor(DType::i64, {0}),
      Tensor(DType::u8, {kHuge, 0}),  list({0})};
  const size_t inputs = std::min<size_t>(op.signature.most_inputs, 3);
  const bool newest = find_operator(op.domain, op.name, kNewestOpset)->since == op.since;
  size_t combinations = 4;
  for (size_t i = 0; i < inputs; ++i) combinations *= tensors.size();
  const double seconds = seconds_of([&] {
    for (size_t c = 0; c < combinations; ++c) {
      std::map<std::string, Tensor> given;
      std::vector<std::string> names;
      size_t rest = c / 4;
      for (size_t i = 0; i < std::max(inputs, op.signature.least_inputs); ++i) {
        names.push_back(fmt::format("x{}", i));
        given[names.back()] = tensors[rest % tensors.size()];
        rest /= tensors.size();
      }
      Node of =
          node(std::string(op.name), names, {"y"}, attributes_for(op, static_cast<int64_t>(c % 2)));
      of.domain = op.domain;
      const int64_t opset = newest && c % 4 < 2 ? kNewestOpset : op.since;
      Model m = model(op.domain.empty() ? opset : kNewestOpset, {}, {of}, {"y"}, given);
      m.opsets[std::string(op.domain)] = m.opset();
      const auto [code, message] = raised_by([&] { Interpreter(m).run({}); });
      EXPECT_NE(code, ErrorCode::internal) << op.name << ": " << message;
    }
  });
  EXPECT_LT(seconds, 3) << op.name;
}

TEST(Budget, NoOperatorWalksOverNothing) {
  for (const Operator& op : all_operators()) run_on_nothing(op);
}

}  // namespace
}  // namespace fp8q::test
