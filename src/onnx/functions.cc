#include "onnx/functions.h"

#include <unordered_map>
#include <utility>

#include "base/error.h"
#include "graph/graph.h"
#include "onnx/read_node.h"
#include "onnx/wire_scan.h"

namespace fp8q {
namespace {

// A function may call the next one twice, that one another one twice, and so on, and each may hold
// much. A small file can ask for any number of nodes and bytes. The largest BERT exports have about
// 10^4 nodes.
constexpr uint64_t kMaxVisitedNodes = 200'000;
// The memory of all nodes that inlining makes may be this much more than proportional to the file.
constexpr uint64_t kFreeInlinedBytes = uint64_t{48} << 20;
constexpr uint64_t kInlinedBytesPerByte = 16;
constexpr int kMaxCallDepth = 64;

struct Function {
  const onnx::FunctionProto* proto = nullptr;
  std::map<std::string, onnx::AttributeProto> defaults;
  bool active = false;  // being expanded now, so a call is a recursion
};

std::map<std::string, onnx::AttributeProto> read_defaults(const onnx::FunctionProto& proto) {
  std::map<std::string, onnx::AttributeProto> defaults;
  // Newer versions of the ONNX library know the field.
  if (const auto* known =
          onnx::FunctionProto::descriptor()->FindFieldByNumber(kDefaultAttributesField)) {
    const auto& reflection = *onnx::FunctionProto::GetReflection();
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

FreshNames names_of(const onnx::GraphProto& graph) {
  FreshNames names;
  for (const auto& input : graph.input()) names.use(input.name());
  for (const auto& tensor : graph.initializer()) names.use(tensor.name());
  for (const auto& node : graph.node())
    for (const auto& output : node.output()) names.use(output);
  return names;
}

class Inliner {
 public:
  Inliner(onnx::ModelProto& model, std::map<std::string, int64_t>& opsets)
      : graph_(*model.mutable_graph()),
        opsets_(opsets),
        unique_(names_of(model.graph())),
        bytes_left_(kFreeInlinedBytes + kInlinedBytesPerByte * model.ByteSizeLong()) {
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

  using Given = std::map<std::string, const onnx::AttributeProto*>;  // the attributes of a call

  void emit(onnx::NodeProto& node, int depth) {
    if (++visited_ > kMaxVisitedNodes)
      fail(ErrorCode::limit, "inlining the model's functions gives more than {} nodes",
           kMaxVisitedNodes);
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
    Given given;
    for (const auto& attribute : call.attribute())
      if (!given.emplace(attribute.name(), &attribute).second)
        fail(ErrorCode::bad_model, "{}: attribute \"{}\" occurs twice", describe(call),
             printable(attribute.name()));
    function.active = true;
    import_opsets(body, call);
    Scope scope = open_scope(call, body);
    for (const auto& node : body.node()) {
      onnx::NodeProto copy = instantiate(node, scope, given, function);
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
    // A name in the maps below takes about this much, and a call may leave most of them out.
    constexpr uint64_t kNameBytes = 128;
    pay(kNameBytes * static_cast<uint64_t>(body.input_size() + body.output_size()), call);
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

  onnx::NodeProto instantiate(const onnx::NodeProto& node, Scope& scope, const Given& given,
                              const Function& function) {
    pay(node.SpaceUsedLong() + scope.prefix.size(), node);
    onnx::NodeProto copy = node;
    copy.set_name(scope.prefix + node.name());
    for (auto& input : *copy.mutable_input()) {
      if (input.empty()) continue;
      const auto value = scope.values.find(input);
      if (value == scope.values.end())
        fail(ErrorCode::bad_model, "{}: input \"{}\" is made by no node of function \"{}\" before",
             describe(copy), printable(input), printable(function.proto->name()));
      pay(value->second.size(), node);
      input = value->second;
    }
    for (auto& output : *copy.mutable_output()) {
      if (output.empty()) continue;
      pay(scope.prefix.size() + output.size(), node);
      const auto target = scope.targets.find(output);
      std::string name =
          target != scope.targets.end() ? target->second : unique_(scope.prefix + output);
      if (!scope.values.emplace(output, name).second)
        fail(ErrorCode::bad_model, "{}: value \"{}\" of function \"{}\" is made more than once",
             describe(copy), printable(output), printable(function.proto->name()));
      if (target != scope.targets.end()) scope.targets.erase(target);
      output = std::move(name);
    }
    substitute_attributes(copy, given, function);
    return copy;
  }

  // Returns the value of an attribute in the body of a function: what it refers to may be given by
  // the call or have a default value, or else the attribute is left out (nullptr).
  static const onnx::AttributeProto* value_of(const onnx::AttributeProto& attribute,
                                              const Given& given, const Function& function) {
    const std::string& reference = attribute.ref_attr_name();
    if (reference.empty()) return &attribute;
    if (const auto value = given.find(reference); value != given.end()) return value->second;
    const auto otherwise = function.defaults.find(reference);
    return otherwise == function.defaults.end() ? nullptr : &otherwise->second;
  }

  // Takes memory for a part of a node from the budget, before it is used.
  void pay(uint64_t bytes, const onnx::NodeProto& node) {
    if (bytes > bytes_left_)
      fail(ErrorCode::limit,
           "{}: inlining the model's functions takes more memory than is allowed for a model of "
           "this size",
           describe(node));
    bytes_left_ -= bytes;
  }

  void substitute_attributes(onnx::NodeProto& node, const Given& given, const Function& function) {
    google::protobuf::RepeatedPtrField<onnx::AttributeProto> attributes;
    attributes.Swap(node.mutable_attribute());
    for (auto& attribute : attributes) {
      const onnx::AttributeProto* value = value_of(attribute, given, function);
      if (!value) continue;
      if (value == &attribute) {
        node.add_attribute()->Swap(&attribute);
        continue;
      }
      pay(value->SpaceUsedLong(), node);
      auto& added = *node.add_attribute();
      added = *value;
      added.set_name(attribute.name());
    }
  }

  onnx::GraphProto& graph_;
  std::map<std::string, int64_t>& opsets_;
  FreshNames unique_;
  std::map<std::pair<std::string, std::string>, Function> functions_;
  uint64_t visited_ = 0;
  uint64_t bytes_left_;
};

}  // namespace

void inline_functions(onnx::ModelProto& model, std::map<std::string, int64_t>& opsets) {
  if (model.functions_size() == 0) return;
  Inliner(model, opsets).run();
  model.clear_functions();
}

}  // namespace fp8q
