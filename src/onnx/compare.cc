// first_difference() defines what "the same model" means.
#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>

#include "base/error.h"
#include "graph/graph.h"
#include "onnx/save.h"

namespace fp8q {
namespace {

using Difference = std::optional<std::string>;

bool same(const Attribute& a, const Attribute& b) {
  if (a.index() != b.index()) return false;
  return std::visit(
      [&](const auto& x) {
        using T = std::decay_t<decltype(x)>;
        const T& y = std::get<T>(b);
        // Compares bit by bit: NaN equals itself.
        if constexpr (std::is_same_v<T, float>)
          return std::bit_cast<uint32_t>(x) == std::bit_cast<uint32_t>(y);
        else if constexpr (std::is_same_v<T, std::vector<float>>)
          return x.size() == y.size() &&
                 (x.empty() || std::memcmp(x.data(), y.data(), x.size() * sizeof(float)) == 0);
        else if constexpr (std::is_same_v<T, Tensor>) return identical(x, y);
        else return x == y;
      },
      a);
}

Difference compare(const Node& a, const Node& b) {
  const auto differs = [&](const char* what) {
    return fmt::format("{} and {} differ in {}", describe(a), describe(b), what);
  };
  if (a.op_type != b.op_type || a.domain != b.domain) return differs("operator");
  if (a.name != b.name) return differs("name");
  if (a.inputs != b.inputs) return differs("inputs");
  if (a.outputs != b.outputs) return differs("outputs");
  if (a.doc != b.doc) return differs("documentation");
  if (a.unknown_fields != b.unknown_fields) return differs("unknown fields");
  if (a.attributes.size() != b.attributes.size()) return differs("number of attributes");
  for (auto i = a.attributes.begin(), j = b.attributes.begin(); i != a.attributes.end(); ++i, ++j)
    if (i->first != j->first || !same(i->second, j->second))
      return differs(fmt::format("attribute \"{}\"", printable(i->first)).c_str());
  return std::nullopt;
}

Difference compare(const std::vector<ValueInfo>& a, const std::vector<ValueInfo>& b,
                   const char* what) {
  if (a.size() != b.size()) return fmt::format("{} {}s and {}", a.size(), what, b.size());
  const auto same_dim = [](const Dim& x, const Dim& y) {
    // If the value is fixed, the parameter's name is not written.
    return x.value == y.value && (x.value >= 0 || x.parameter == y.parameter);
  };
  for (size_t i = 0; i < a.size(); ++i) {
    const ValueInfo& x = a[i];
    const ValueInfo& y = b[i];
    if (x.name != y.name || x.dtype != y.dtype || x.has_shape != y.has_shape ||
        !std::equal(x.shape.begin(), x.shape.end(), y.shape.begin(), y.shape.end(), same_dim))
      return fmt::format("{} \"{}\" and \"{}\" differ", what, printable(x.name), printable(y.name));
  }
  return std::nullopt;
}

Difference compare(const std::map<std::string, Tensor>& a, const std::map<std::string, Tensor>& b) {
  if (a.size() != b.size()) return fmt::format("{} initializers and {}", a.size(), b.size());
  for (auto i = a.begin(), j = b.begin(); i != a.end(); ++i, ++j)
    if (i->first != j->first || !identical(i->second, j->second))
      return fmt::format("initializers \"{}\" and \"{}\" differ", printable(i->first),
                         printable(j->first));
  return std::nullopt;
}

Difference compare(const Graph& a, const Graph& b) {
  if (a.name != b.name) return "names of the graphs differ";
  if (a.doc != b.doc) return "documentation of the graphs differs";
  if (auto d = compare(a.inputs, b.inputs, "graph input")) return d;
  if (auto d = compare(a.outputs, b.outputs, "graph output")) return d;
  if (auto d = compare(a.value_info, b.value_info, "value")) return d;
  if (auto d = compare(a.initializers, b.initializers)) return d;
  if (a.nodes.size() != b.nodes.size())
    return fmt::format("{} nodes and {}", a.nodes.size(), b.nodes.size());
  for (size_t i = 0; i < a.nodes.size(); ++i)
    if (auto d = compare(a.nodes[i], b.nodes[i])) return d;
  return std::nullopt;
}

}  // namespace

std::optional<std::string> first_difference(const Model& a, const Model& b) {
  if (a.ir_version != b.ir_version) return "IR versions differ";
  if (a.opsets != b.opsets) return "imported operator sets differ";
  if (a.producer_name != b.producer_name || a.producer_version != b.producer_version)
    return "producers differ";
  if (a.domain != b.domain || a.model_version != b.model_version) return "model versions differ";
  if (a.doc != b.doc) return "documentation differs";
  if (a.metadata != b.metadata) return "metadata differ";
  if (a.unknown_fields != b.unknown_fields) return "unknown fields differ";
  return compare(a.graph, b.graph);
}

}  // namespace fp8q
