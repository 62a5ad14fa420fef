// Tests that every node has what its operator asks for before anything else looks at it: for every
// row of ops.def, every number of inputs and outputs, omitted ones, and attributes that are missing
// or of another type.
#include "interpreter/signature.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "fp8q/error.h"
#include "interpreter/operator.h"
#include "tests/support/errors.h"
#include "unit/interpreter/graphs.h"

namespace fp8q::test {
namespace {

using testing::HasSubstr;

// Holds a value of every type that an attribute may have, in the order of AttributeType.
const std::vector<Attribute> kValues = {int64_t{0},
                                        0.0f,
                                        std::string("x"),
                                        Tensor::scalar(0.0f),
                                        std::vector<int64_t>{0},
                                        std::vector<float>{0.0f},
                                        std::vector<std::string>{"x"}};

std::vector<std::string> names(const std::string& stem, size_t count) {
  std::vector<std::string> all;
  for (size_t i = 0; i < count; ++i) all.push_back(fmt::format("{}{}", stem, i));
  return all;
}

size_t most(size_t count) { return count == kAnyNumber ? 3 : count; }

// Makes a node that has all that its row asks for, with as much as it may have.
Node complete(const Operator& op) {
  Node made = node(std::string(op.name), names("x", most(op.signature.most_inputs)),
                   names("y", most(op.signature.most_outputs)));
  made.domain = op.domain;
  for (const RequiredAttribute& required : op.signature.attributes)
    if (!required.name.empty())
      made.attributes[std::string(required.name)] = kValues[static_cast<size_t>(required.type)];
  return made;
}

// Returns the model of this node alone, in the first version of the row.
Model model_of(const Operator& op, const Node& of) {
  std::map<std::string, Tensor> given;
  for (const std::string& name : of.inputs)
    if (!name.empty()) given[name] = Tensor::scalar(1.0f);
  Model m = model(op.domain.empty() ? op.since : kNewestOpset, {}, {of}, {"y0"}, given);
  m.opsets[std::string(op.domain)] = m.opset();
  return m;
}

void expect(bool accepted, const Operator& op, const Node& of) {
  const Model m = model_of(op, of);
  const auto [code, message] = raised_by([&] { require_supported(m); });
  EXPECT_EQ(code, accepted ? ErrorCode{} : ErrorCode::bad_model)
      << op.name << " of opset " << op.since << ", " << of.inputs.size() << " inputs, "
      << of.outputs.size() << " outputs: " << message;
  // What was accepted ends in a result or an Error that is not ours.
  const auto ran = raised_by([&] { Interpreter(m).run({}); });
  EXPECT_NE(ran.first, ErrorCode::internal) << ran.second;
}

void count_inputs(const Operator& op) {
  const Signature& signature = op.signature;
  for (size_t count = 0; count <= most(signature.most_inputs) + 1; ++count) {
    Node changed = complete(op);
    changed.inputs = names("x", count);
    expect(count >= signature.least_inputs && count <= signature.most_inputs, op, changed);
  }
  for (size_t i = 0; i < most(signature.most_inputs); ++i) {
    Node changed = complete(op);
    changed.inputs[i] = "";
    expect(i >= signature.least_inputs, op, changed);
  }
}

void count_outputs(const Operator& op) {
  const Signature& signature = op.signature;
  for (size_t count = 0; count <= most(signature.most_outputs) + 1; ++count) {
    Node changed = complete(op);
    changed.outputs = names("y", count);
    expect(count > 0 && count <= signature.most_outputs, op, changed);
    changed.outputs.assign(count, "");
    expect(false, op, changed);
  }
}

void change_attributes(const Operator& op) {
  for (const RequiredAttribute& required : op.signature.attributes) {
    if (required.name.empty()) continue;
    Node changed = complete(op);
    for (size_t type = 0; type < kValues.size(); ++type) {
      changed.attributes[std::string(required.name)] = kValues[type];
      expect(type == static_cast<size_t>(required.type), op, changed);
    }
    changed.attributes.clear();
    expect(false, op, changed);
  }
}

TEST(Signature, IsAskedOfEveryOperator) {
  for (const Operator& op : all_operators()) {
    count_inputs(op);
    count_outputs(op);
    change_attributes(op);
  }
}

TEST(Signature, SaysWhatIsWrong) {
  const auto refusal = [](const Node& of) {
    const Model m = model(14, {input("x", DType::f32, {2})}, {of}, {});
    return error_of(ErrorCode::bad_model, [&] { require_supported(m); });
  };
  EXPECT_EQ(refusal(node("Add", {"x"}, {"y"})),
            "Add \"y\": has 1 input, the operator takes 2 inputs");
  EXPECT_EQ(refusal(node("Clip", {}, {"y"})),
            "Clip \"y\": has 0 inputs, the operator takes 1 to 3 inputs");
  EXPECT_EQ(refusal(node("Sum", {}, {"y"})),
            "Sum \"y\": has 0 inputs, the operator takes 1 or more inputs");
  EXPECT_EQ(refusal(node("Add", {"", "x"}, {"y"})), "Add \"y\": input 0 is missing");
  EXPECT_EQ(refusal(node("Abs", {"x"}, {})),
            "Abs \"\": has 0 outputs, the operator makes 1 output");
  EXPECT_EQ(refusal(node("Abs", {"x"}, {""})), "Abs \"\": none of its outputs has a name");
  EXPECT_EQ(refusal(node("Cast", {"x"}, {"y"})), "Cast \"y\": has no attribute \"to\"");
  EXPECT_EQ(refusal(node("Cast", {"x"}, {"y"}, {{"to", std::string("FLOAT")}})),
            "Cast \"y\": attribute \"to\" is not an integer");
}

// Versions that take other operands have rows of their own.
TEST(Signature, FollowsTheOpset) {
  const Node by_attribute = node("Unsqueeze", {"x"}, {"y"}, {{"axes", std::vector<int64_t>{0}}});
  const auto at = [&](int64_t opset) {
    const Model m = model(opset, {input("x", DType::f32, {2})}, {by_attribute}, {});
    return raised_by([&] { require_supported(m); }).second;
  };
  EXPECT_EQ(at(12), "no error");
  EXPECT_THAT(at(13), HasSubstr("takes 2 inputs"));
}

// What came as an input later must not be overlooked in an older version.
TEST(Signature, InputsOfLaterOpsetsAreRefusedBefore) {
  struct Later {
    const char* op;
    size_t inputs;
    int64_t since;
  };
  for (const auto& [op, inputs, since] : {Later{"Clip", 3, 11},
                                          {"Dropout", 3, 12},
                                          {"ReduceSum", 2, 13},
                                          {"ReduceMean", 2, 18},
                                          {"ReduceL2", 2, 18},
                                          {"Squeeze", 2, 13},
                                          {"Split", 2, 13},
                                          {"Attention", 7, 24}}) {
    const Node of = node(op, names("x", inputs), {"y0"});
    for (const int64_t opset : {since - 1, since}) {
      std::map<std::string, Tensor> given;
      for (const std::string& name : of.inputs) given[name] = Tensor::scalar(1.0f);
      const Model m = model(opset, {}, {of}, {"y0"}, given);
      EXPECT_EQ(raised_by([&] { require_supported(m); }).second == "no error", opset == since)
          << op << " in opset " << opset;
    }
  }
}

}  // namespace
}  // namespace fp8q::test
