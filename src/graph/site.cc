#include "graph/site.h"

#include <algorithm>
#include <array>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "base/error.h"
#include "graph/channel_factors.h"
#include "graph/graph.h"
#include "graph/head_products.h"
#include "graph/origins.h"
#include "graph/token_rounding.h"

namespace fp8q {
namespace {

bool all_zero(const Tensor& tensor) {
  const Tensor values = tensor.to(DType::f32);
  return std::ranges::all_of(values.data<float>(), [](float v) { return v == 0; });
}

}  // namespace

std::variant<Quantization, std::string> read_dequantize(const Node& dequantize, DType codes,
                                                        int64_t rank, const ContentsOf& contents) {
  const auto no = [&](std::string_view why) {
    return fmt::format("{} {}", describe(dequantize), why);
  };
  const auto format = format_of(codes);
  if (!format) return no(fmt::format("decodes {}", name(codes)));
  const Tensor* scale = contents(input_or_empty(dequantize, 1));
  if (!scale || (scale->dtype() != DType::f32 && scale->dtype() != DType::f16))
    return no("has a scale that is no constant of type float");
  if (const std::string zero = input_or_empty(dequantize, 2); !zero.empty()) {
    const Tensor* zero_point = contents(zero);
    if (!zero_point || !all_zero(*zero_point)) return no("has a zero point that is not 0");
  }
  Quantization found;
  found.format = *format;
  found.scale = scale->to(DType::f32);
  found.block = int_attribute(dequantize, "block_size", 0);
  if (found.block < 0) return no("has a negative block size");
  if (found.scale.size() == 1 && !found.block) {
    found.scale = found.scale.reshaped({});
  } else {
    if (found.scale.rank() != (found.block ? rank : 1))
      return no("has a scale whose dimensions do not fit");
    const int64_t axis = int_attribute(dequantize, "axis", 1);
    found.axis = axis < 0 ? axis + rank : axis;
    if (*found.axis < 0 || *found.axis >= rank) return no("has an axis its codes do not have");
  }
  return found;
}

std::variant<Quantization, std::string> read_pair(const Node& quantize, const Node& dequantize,
                                                  const ContentsOf& contents) {
  const auto no = [&](std::string_view why) {
    return fmt::format("{} {}", describe(quantize), why);
  };
  const Tensor* zero_point = contents(input_or_empty(quantize, 2));
  const int64_t declared = int_attribute(quantize, "output_dtype", 0);
  DType codes = DType::u8;  // ONNX's default
  if (zero_point) codes = zero_point->dtype();
  else if (const auto dtype = dtype_of_onnx_code(static_cast<int>(declared))) codes = *dtype;
  if (int_attribute(quantize, "saturate", 1) != 1) return no("does not saturate");
  // A pair with one scale does not depend on the rank.
  auto read = read_dequantize(dequantize, codes, 8, contents);
  if (std::holds_alternative<std::string>(read)) return read;
  const auto made = read_dequantize(quantize, codes, 8, contents);
  if (const auto* why = std::get_if<std::string>(&made)) return *why;
  if (std::get<Quantization>(read).axis) return no("quantizes an activation with several scales");
  if (!same(std::get<Quantization>(made), std::get<Quantization>(read)))
    return no("and its DequantizeLinear differ");
  const Tensor* other = contents(input_or_empty(dequantize, 2));
  if (other && other->dtype() != codes) return no("and its DequantizeLinear differ in type");
  return read;
}

bool same(const Quantization& a, const Quantization& b) {
  return a.format == b.format && a.axis == b.axis && a.block == b.block &&
         a.per_token == b.per_token && a.factors == b.factors && identical(a.scale, b.scale);
}

namespace {

// Finds the constants of a graph: initializers, Constant nodes, and everything computed from them
// alone.
class Constants {
 public:
  explicit Constants(const Graph& graph) : graph_(&graph) {
    for (const auto& [name, tensor] : graph.initializers) names_.insert(name);
    for (const auto& node : graph.nodes) {
      const bool from_constants = std::ranges::all_of(
          node.inputs, [&](const auto& input) { return input.empty() || names_.contains(input); });
      const bool random = node.op_type.starts_with("Random") || node.op_type == "Bernoulli";
      if (!from_constants || random) continue;
      names_.insert(node.outputs.begin(), node.outputs.end());
      if (const Tensor* tensor = constant_tensor(node)) nodes_[node.outputs[0]] = tensor;
    }
  }

  bool contains(const std::string& value) const { return names_.contains(value); }
  const Tensor* contents(const std::string& value) const {
    if (const auto it = graph_->initializers.find(value); it != graph_->initializers.end())
      return &it->second;
    const auto it = nodes_.find(value);
    return it == nodes_.end() ? nullptr : it->second;
  }

 private:
  const Graph* graph_;
  std::unordered_set<std::string> names_;
  std::map<std::string, const Tensor*> nodes_;
};

class Finder {
 public:
  explicit Finder(const Model& model)
      : graph_(&model.graph), index_(model.graph), constants_(model.graph), origins_(model.graph) {}

  std::vector<Site> find() {
    for (size_t n = 0; n < graph_->nodes.size(); ++n) {
      const Node& node = graph_->nodes[n];
      if (!is_op(&node, "MatMul") && !is_op(&node, "Gemm")) continue;
      if (node.inputs.size() < 2) continue;
      if (constants_.contains(node.inputs[0]) && constants_.contains(node.inputs[1])) continue;
      for (const size_t i : {0, 1})
        if (constants_.contains(node.inputs[i])) add_weight({n, i});
        else add_activation({n, i});
    }
    mark_head();
    return std::move(sites_);
  }

 private:
  void mark_head() {
    const std::set<size_t> head = head_products(index_);
    for (Site& site : sites_)
      if (site.role == SiteRole::other &&
          std::ranges::all_of(site.uses, [&](const Use& use) { return head.contains(use.node); }))
        site.role = SiteRole::head;
  }

  std::string path(Use use, std::string_view what) {
    const Node& node = graph_->nodes[use.node];
    const std::string& stem = node.name.empty() ? node.outputs[0] : node.name;
    return paths_(fmt::format("{}/{}", stem, what));
  }

  void add_activation(Use use) {
    const std::string& entering = graph_->nodes[use.node].inputs[use.input];
    Site site;
    site.value = entering;
    const Node* dequantize = index_.producer(entering);
    if (is_op(dequantize, "DequantizeLinear"))
      if (const Node* quantize = index_.producer(input_or_empty(*dequantize, 0));
          is_op(quantize, "QuantizeLinear")) {
        const auto read = read_pair(*quantize, *dequantize, contents());
        if (const auto* quantization = std::get_if<Quantization>(&read)) {
          site.quantization = *quantization;
          site.value = input_or_empty(*quantize, 0);
        }
      }
    if (auto rounding = find_token_rounding(index_, entering, contents())) {
      site.quantization = std::move(rounding->quantization);
      site.value = std::move(rounding->input);
    }
    if (use.input == 0 && site.quantization)
      if (auto found = find_channel_factors(index_, site.value, contents())) {
        site.quantization->factors = std::move(found->factors);
        site.value = std::move(found->input);
      }
    const auto [first, last] = known_.equal_range(key_of(site));
    for (auto known = first; known != last; ++known)
      if (Site& other = sites_[known->second]; rounds_alike(other, site)) {
        other.uses.push_back(use);
        return;
      }
    known_.emplace(key_of(site), sites_.size());
    if (origins_.comes_from_softmax(site.value)) site.role = SiteRole::probabilities;
    site.path = path(use, use.input == 0 ? "input" : "second_input");
    site.uses = {use};
    sites_.push_back(std::move(site));
  }

  // Sites that are the same have the same key, and few others have.
  static std::string key_of(const Site& site) {
    std::string key = site.value;
    if (!site.quantization) return key;
    const Quantization& q = *site.quantization;
    key.append(reinterpret_cast<const char*>(q.scale.bytes()), q.scale.nbytes());
    key.append(reinterpret_cast<const char*>(q.factors.data()), q.factors.size() * sizeof(float));
    return key;
  }

  static bool rounds_alike(const Site& a, const Site& b) {
    return a.value == b.value && a.quantization.has_value() == b.quantization.has_value() &&
           (!a.quantization || same(*a.quantization, *b.quantization));
  }

  void add_weight(Use use) {
    const Node& product = graph_->nodes[use.node];
    Site site;
    site.kind = SiteKind::weight;
    site.value = product.inputs[use.input];
    site.path = path(use, "weight");
    site.uses = {use};
    const auto rank = origins_.rank_of(site.value);
    if (is_op(&product, "Gemm")) {
      // Gemm computes A' B'; the channels of the output are rows of A' or columns of B'.
      const bool transposed = int_attribute(product, use.input ? "transB" : "transA", 0) != 0;
      site.channel_axis = (use.input == 1) != transposed ? 1 : 0;
    } else if (rank && *rank >= 2) {
      site.channel_axis = use.input == 1 ? *rank - 1 : *rank - 2;
    }
    const Node* dequantize = index_.producer(site.value);
    if (is_op(dequantize, "DequantizeLinear"))
      if (const Tensor* codes = constants_.contents(input_or_empty(*dequantize, 0))) {
        auto read = read_dequantize(*dequantize, codes->dtype(), codes->rank(), contents());
        if (auto* found = std::get_if<Quantization>(&read)) site.quantization = std::move(*found);
      }
    sites_.push_back(std::move(site));
  }

  ContentsOf contents() const {
    return [this](const std::string& value) { return constants_.contents(value); };
  }

  const Graph* graph_;
  GraphIndex index_;
  Constants constants_;
  Origins origins_;
  std::vector<Site> sites_;
  std::unordered_multimap<std::string, size_t> known_;  // activations in sites_, by key_of()
  FreshNames paths_{'.'};
};

}  // namespace

std::vector<Site> generic_sites(const Model& model) { return Finder(model).find(); }

}  // namespace fp8q
