#include "onnx/functions.h"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <utility>

#include "base/error.h"
#include "onnx/read_node.h"
#include "onnx/wire_scan.h"

namespace fp8q {
namespace {

// A function may call the next one twice, that one another one twice, and so on. A small file can
// ask for any number of nodes. The largest BERT exports have about 10^4.
constexpr uint64_t kMaxVisitedNodes = 200'000;
constexpr uint64_t kMaxInlinedBytes = uint64_t{1} << 28;
constexpr int kMaxCallDepth = 64;

struct Function {
  const onnx::FunctionProto* proto = nullptr;
  std::map<std::string, onnx::AttributeProto> defaults;
  bool active = false;  // being expanded now, so a call is a recursion
};

std::map<std::string, onnx::AttributeProto> read_defaults(const onnx::FunctionProto& proto) {
  std::map<std::string, onnx::AttributeProto> defaults;
  // Newer versions of the ONNX library know the field.
  if (const auto* known = proto.GetDescriptor()->FindFieldByNumber(kDefaultAttributesField)) {
    const auto& reflection = *proto.GetReflection();
    for (int i = 0; i < reflection.FieldSize(proto, known); ++i) {
      onnx::AttributeProto attribute;
      attribute.CopyFrom(reflection.GetRepeatedMessage(proto, known, i));
      defaults[attribute.name()] = std::move(attribute);
    }
  }
  const auto& fields = proto.unknown_fields();
  for (int i = 0; i < fields.field_count(); ++i) {
    const auto& field = fields.field(i);
    if (field.number() != kDefaultAttributesField ||
        field.type() != google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED)
      continue;
    onnx::AttributeProto attribute;
    if (!attribute.ParseFromString(field.length_delimited()))
      fail(ErrorCode::bad_model, "function \"{}\": a default attribute is malformed",
           printable(proto.name()));
    defaults[attribute.name()] = std::move(attribute);
  }
  return defaults;
}

// Makes value names that are not used yet.
class UniqueNames {
 public:
  explicit UniqueNames(const onnx::GraphProto& graph) {
    for (const auto& input : graph.input()) next_[input.name()];
    for (const auto& tensor : graph.initializer()) next_[tensor.name()];
    for (const auto& node : graph.node())
      for (const auto& output : node.output()) next_[output];
  }

  std::string operator()(const std::string& stem) {
    if (next_.emplace(stem, 2).second) return stem;
    while (true) {
      // The counter is looked up again each time, because inserting may move it.
      const std::string name = fmt::format("{}_{}", stem, std::max(next_[stem]++, 2));
      if (next_.emplace(name, 2).second) return name;
    }
  }

 private:
  std::unordered_map<std::string, int> next_;  // name -> the suffix to try next
};

class Inliner {
 public:
  Inliner(onnx::ModelProto& model, std::map<std::string, int64_t>& opsets)
      : graph_(*model.mutable_graph()), opsets_(opsets), unique_(model.graph()) {
    for (const auto& proto : model.functions()) {
      auto& function = functions_[{normal_domain(proto.domain()), proto.name()}];
      if (function.proto)
        fail(ErrorCode::unsupported, "function \"{}\" has several overloads",
             printable(proto.name()));
      function = {&proto, read_defaults(proto)};
    }
  }

  void run() {
    google::protobuf::RepeatedPtrField<onnx::NodeProto> nodes;
    nodes.Swap(graph_.mutable_node());
    for (auto& node : nodes) emit(node, 0);
  }

 private:
  // Maps the names of a function's values to names in the graph.
  struct Scope {
    std::string prefix;
    std::unordered_map<std::string, std::string> values;   // inputs and the values made so far
    std::unordered_map<std::string, std::string> targets;  // outputs not made yet
  };

  void emit(onnx::NodeProto& node, int depth) {
    if (++visited_ > kMaxVisitedNodes)
      fail(ErrorCode::limit, "inlining the model's functions gives more than {} nodes",
           kMaxVisitedNodes);
    if (depth > 0) inlined_bytes_ += node.ByteSizeLong();
    if (inlined_bytes_ > kMaxInlinedBytes)
      fail(ErrorCode::limit, "inlining the model's functions gives more than {} bytes of nodes",
           kMaxInlinedBytes);
    const auto function = functions_.find({normal_domain(node.domain()), node.op_type()});
    if (function == functions_.end()) graph_.add_node()->Swap(&node);
    else expand(node, function->second, depth);
  }

  void expand(const onnx::NodeProto& call, Function& function, int depth) {
    const auto& body = *function.proto;
    if (function.active)
      fail(ErrorCode::bad_model, "{}: function \"{}\" calls itself", describe(call),
           printable(body.name()));
    if (depth >= kMaxCallDepth)
      fail(ErrorCode::limit, "{}: functions call one another deeper than {} levels", describe(call),
           kMaxCallDepth);
    std::set<std::string> given;
    for (const auto& attribute : call.attribute())
      if (!given.insert(attribute.name()).second)
        fail(ErrorCode::bad_model, "{}: attribute \"{}\" occurs twice", describe(call),
             printable(attribute.name()));
    function.active = true;
    import_opsets(body, call);
    Scope scope = open_scope(call, body);
    for (const auto& node : body.node()) {
      onnx::NodeProto copy = instantiate(node, scope, call, function);
      emit(copy, depth + 1);
    }
    for (const auto& [output, target] : scope.targets)
      fail(ErrorCode::bad_model, "{}: output \"{}\" of function \"{}\" is made by no node",
           describe(call), printable(output), printable(body.name()));
    function.active = false;
  }

  void import_opsets(const onnx::FunctionProto& body, const onnx::NodeProto& call) {
    for (const auto& import : body.opset_import()) {
      const auto [known, added] = opsets_.emplace(normal_domain(import.domain()), import.version());
      if (!added && known->second != import.version())
        fail(ErrorCode::unsupported,
             "{}: function \"{}\" uses version {} of the operator set \"{}\", the model version {}",
             describe(call), printable(body.name()), import.version(), printable(known->first),
             known->second);
    }
  }

  Scope open_scope(const onnx::NodeProto& call, const onnx::FunctionProto& body) {
    if (call.input_size() > body.input_size() || call.output_size() > body.output_size())
      fail(ErrorCode::bad_model, "{}: has more inputs or outputs than function \"{}\"",
           describe(call), printable(body.name()));
    Scope scope;
    scope.prefix = call.name();
    if (scope.prefix.empty())
      scope.prefix = call.output_size() > 0 ? call.output(0) : call.op_type();
    scope.prefix += "/";
    for (int i = 0; i < body.input_size(); ++i)
      if (!scope.values.emplace(body.input(i), i < call.input_size() ? call.input(i) : "").second)
        fail(ErrorCode::bad_model, "function \"{}\" has two inputs \"{}\"", printable(body.name()),
             printable(body.input(i)));
    for (int i = 0; i < body.output_size(); ++i) {
      const std::string& output = body.output(i);
      std::string target = i < call.output_size() ? call.output(i) : "";
      if (target.empty()) target = unique_(scope.prefix + output);
      const auto input = scope.values.find(output);
      if (input != scope.values.end()) add_identity(input->second, target);
      else if (!scope.targets.emplace(output, target).second)
        fail(ErrorCode::bad_model, "function \"{}\" has two outputs \"{}\"", printable(body.name()),
             printable(output));
    }
    return scope;
  }

  // A function may return one of its inputs.
  void add_identity(const std::string& from, const std::string& to) {
    auto& node = *graph_.add_node();
    node.set_op_type("Identity");
    node.set_name(to);
    node.add_input(from);
    node.add_output(to);
  }

  onnx::NodeProto instantiate(const onnx::NodeProto& node, Scope& scope,
                              const onnx::NodeProto& call, const Function& function) {
    onnx::NodeProto copy = node;
    copy.set_name(scope.prefix + node.name());
    for (auto& input : *copy.mutable_input()) {
      if (input.empty()) continue;
      const auto value = scope.values.find(input);
      if (value == scope.values.end())
        fail(ErrorCode::bad_model, "{}: input \"{}\" is made by no node of function \"{}\" before",
             describe(copy), printable(input), printable(function.proto->name()));
      input = value->second;
    }
    for (auto& output : *copy.mutable_output()) {
      if (output.empty()) continue;
      const auto target = scope.targets.find(output);
      std::string name =
          target != scope.targets.end() ? target->second : unique_(scope.prefix + output);
      if (!scope.values.emplace(output, name).second)
        fail(ErrorCode::bad_model, "{}: value \"{}\" of function \"{}\" is made more than once",
             describe(copy), printable(output), printable(function.proto->name()));
      if (target != scope.targets.end()) scope.targets.erase(target);
      output = std::move(name);
    }
    substitute_attributes(copy, call, function);
    return copy;
  }

  // Attributes that refer to the function's own attributes get the caller's value. Without one they
  // get the default value, and without a default they are left out.
  static void substitute_attributes(onnx::NodeProto& node, const onnx::NodeProto& call,
                                    const Function& function) {
    google::protobuf::RepeatedPtrField<onnx::AttributeProto> attributes;
    attributes.Swap(node.mutable_attribute());
    for (auto& attribute : attributes) {
      const std::string reference = attribute.ref_attr_name();
      if (reference.empty()) {
        node.add_attribute()->Swap(&attribute);
        continue;
      }
      const onnx::AttributeProto* value = nullptr;
      for (const auto& given : call.attribute())
        if (given.name() == reference) value = &given;
      const auto otherwise = function.defaults.find(reference);
      if (!value && otherwise != function.defaults.end()) value = &otherwise->second;
      if (!value) continue;
      auto& added = *node.add_attribute();
      added = *value;
      added.set_name(attribute.name());
    }
  }

  onnx::GraphProto& graph_;
  std::map<std::string, int64_t>& opsets_;
  UniqueNames unique_;
  std::map<std::pair<std::string, std::string>, Function> functions_;
  uint64_t visited_ = 0;
  uint64_t inlined_bytes_ = 0;
};

}  // namespace

void inline_functions(onnx::ModelProto& model, std::map<std::string, int64_t>& opsets) {
  if (model.functions_size() == 0) return;
  Inliner(model, opsets).run();
  model.clear_functions();
}

}  // namespace fp8q
