#include "interpreter/signature.h"

#include <algorithm>

#include "base/error.h"
#include "graph/graph.h"

namespace fp8q {
namespace {

// Says "2 inputs", "1 to 3 inputs" or "1 or more inputs".
std::string count_of(size_t least, size_t most, std::string_view what) {
  const char* plural = most == 1 ? "" : "s";
  if (most == kAnyNumber) return fmt::format("{} or more {}s", least, what);
  if (least == most) return fmt::format("{} {}{}", most, what, plural);
  return fmt::format("{} to {} {}{}", least, most, what, plural);
}

std::string_view described(AttributeType type) {
  constexpr std::string_view kTypes[] = {
      "an integer",         "a number",          "a string",         "a tensor",
      "a list of integers", "a list of numbers", "a list of strings"};
  static_assert(std::size(kTypes) == std::variant_size_v<Attribute>);
  return kTypes[static_cast<size_t>(type)];
}

std::string attribute_violation(const RequiredAttribute& required, const Node& node) {
  if (required.name.empty()) return {};
  const Attribute* found = find_attribute(node, std::string(required.name));
  if (!found) return fmt::format("has no attribute \"{}\"", required.name);
  if (found->index() == static_cast<size_t>(required.type)) return {};
  return fmt::format("attribute \"{}\" is not {}", required.name, described(required.type));
}

}  // namespace

std::string violation(const Signature& signature, const Node& node) {
  const size_t inputs = node.inputs.size(), outputs = node.outputs.size();
  if (inputs < signature.least_inputs || inputs > signature.most_inputs)
    return fmt::format("has {}, the operator takes {}", count_of(inputs, inputs, "input"),
                       count_of(signature.least_inputs, signature.most_inputs, "input"));
  for (size_t i = 0; i < signature.least_inputs; ++i)
    if (node.inputs[i].empty()) return fmt::format("input {} is missing", i);
  if (outputs == 0 || outputs > signature.most_outputs)
    return fmt::format("has {}, the operator makes {}", count_of(outputs, outputs, "output"),
                       count_of(1, signature.most_outputs, "output"));
  if (std::ranges::all_of(node.outputs, &std::string::empty))
    return "none of its outputs has a name";
  for (const RequiredAttribute& required : signature.attributes)
    if (std::string problem = attribute_violation(required, node); !problem.empty()) return problem;
  return {};
}

}  // namespace fp8q
