#include "graph/graph.h"

#include <algorithm>
#include <queue>
#include <ranges>
#include <set>
#include <unordered_set>

#include "base/error.h"

namespace fp8q {

int64_t Model::opset() const {
  const auto it = opsets.find("");
  return it == opsets.end() ? 0 : it->second;
}

GraphIndex::GraphIndex(const Graph& graph) : graph_(&graph) {
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& node = graph.nodes[n];
    for (const auto& output : node.outputs)
      if (!output.empty()) producers_[output] = n;
    for (size_t i = 0; i < node.inputs.size(); ++i)
      if (!node.inputs[i].empty()) uses_[node.inputs[i]].push_back({n, i});
  }
  for (const ValueInfo& output : graph.outputs) outputs_.insert(output.name);
}

const Node* GraphIndex::producer(const std::string& value) const {
  const auto index = producer_index(value);
  return index ? &graph_->nodes[*index] : nullptr;
}

std::optional<size_t> GraphIndex::producer_index(const std::string& value) const {
  const auto it = producers_.find(value);
  if (it == producers_.end()) return std::nullopt;
  return it->second;
}

std::span<const Use> GraphIndex::uses(const std::string& value) const {
  const auto it = uses_.find(value);
  if (it == uses_.end()) return {};
  return it->second;
}

bool GraphIndex::is_graph_output(const std::string& value) const {
  return outputs_.contains(value);
}

const Tensor* GraphIndex::initializer(const std::string& value) const {
  const auto it = graph_->initializers.find(value);
  return it == graph_->initializers.end() ? nullptr : &it->second;
}

const Tensor* GraphIndex::constant(const std::string& value) const {
  if (const Tensor* tensor = initializer(value)) return tensor;
  const Node* node = producer(value);
  return node ? constant_tensor(*node) : nullptr;
}

const Attribute* find_attribute(const Node& node, const std::string& name) {
  const auto it = node.attributes.find(name);
  return it == node.attributes.end() ? nullptr : &it->second;
}

const Tensor* constant_tensor(const Node& node) {
  if (!is_op(&node, "Constant")) return nullptr;
  const Attribute* value = find_attribute(node, "value");
  return value ? std::get_if<Tensor>(value) : nullptr;
}

std::string input_or_empty(const Node& node, size_t i) {
  return i < node.inputs.size() ? node.inputs[i] : "";
}

namespace {

template <typename T>
T typed_attribute(const Node& node, const std::string& name, T otherwise, const char* type) {
  const Attribute* attribute = find_attribute(node, name);
  if (!attribute) return otherwise;
  if (const T* value = std::get_if<T>(attribute)) return *value;
  fail(ErrorCode::bad_model, "{}: attribute \"{}\" is not {}", describe(node), printable(name),
       type);
}

}  // namespace

bool is_op(const Node* node, std::string_view op_type) {
  return node && node->domain.empty() && node->op_type == op_type;
}

int64_t int_attribute(const Node& node, const std::string& name, int64_t otherwise) {
  return typed_attribute<int64_t>(node, name, otherwise, "an integer");
}

float float_attribute(const Node& node, const std::string& name, float otherwise) {
  return typed_attribute<float>(node, name, otherwise, "a number");
}

std::string string_attribute(const Node& node, const std::string& name, std::string otherwise) {
  return typed_attribute<std::string>(node, name, std::move(otherwise), "a string");
}

std::vector<int64_t> ints_attribute(const Node& node, const std::string& name,
                                    std::vector<int64_t> otherwise) {
  return typed_attribute<std::vector<int64_t>>(node, name, std::move(otherwise),
                                               "a list of integers");
}

std::string describe(const Node& node) {
  std::string shown = node.name;
  if (shown.empty() && !node.outputs.empty()) shown = node.outputs.front();
  const std::string domain = node.domain.empty() ? "" : node.domain + "::";
  return fmt::format("{} \"{}\"", printable(domain + node.op_type), printable(shown));
}

void sort_topologically(Graph& graph) {
  std::unordered_map<std::string, size_t> producers;
  std::unordered_set<std::string> given;
  for (const auto& input : graph.inputs) given.insert(input.name);
  for (const auto& [name, tensor] : graph.initializers) given.insert(name);
  for (size_t n = 0; n < graph.nodes.size(); ++n)
    for (const auto& output : graph.nodes[n].outputs) {
      if (output.empty()) continue;
      if (given.contains(output) || !producers.emplace(output, n).second)
        fail(ErrorCode::bad_model, "{}: value \"{}\" is made more than once",
             describe(graph.nodes[n]), printable(output));
    }

  // Uses Kahn's algorithm with the original position as priority: an ordered graph stays unchanged.
  std::vector<std::vector<size_t>> readers(graph.nodes.size());
  std::vector<size_t> missing(graph.nodes.size(), 0);
  for (size_t n = 0; n < graph.nodes.size(); ++n)
    for (const auto& input : graph.nodes[n].inputs) {
      if (input.empty() || given.contains(input)) continue;
      const auto producer = producers.find(input);
      if (producer == producers.end())
        fail(ErrorCode::bad_model, "{}: input \"{}\" is made by no node and is no graph input",
             describe(graph.nodes[n]), printable(input));
      readers[producer->second].push_back(n);
      ++missing[n];
    }
  std::priority_queue<size_t, std::vector<size_t>, std::greater<>> ready;
  for (size_t n = 0; n < missing.size(); ++n)
    if (missing[n] == 0) ready.push(n);
  std::vector<Node> sorted;
  sorted.reserve(graph.nodes.size());
  while (!ready.empty()) {
    const size_t n = ready.top();
    ready.pop();
    for (const size_t reader : readers[n])
      if (--missing[reader] == 0) ready.push(reader);
    sorted.push_back(std::move(graph.nodes[n]));
  }
  if (sorted.size() != missing.size()) {
    const auto stuck = std::ranges::find_if(missing, [](size_t m) { return m > 0; });
    const auto& node = graph.nodes[static_cast<size_t>(stuck - missing.begin())];
    fail(ErrorCode::bad_model, "{}: is part of a cycle", describe(node));
  }
  graph.nodes = std::move(sorted);
  for (const auto& output : graph.outputs)
    if (!producers.contains(output.name) && !given.contains(output.name))
      fail(ErrorCode::bad_model, "graph output \"{}\" is made by no node", printable(output.name));
}

void remove_unused(Graph& graph) {
  std::unordered_set<std::string> read;
  for (const auto& output : graph.outputs) read.insert(output.name);
  std::vector<Node> kept;
  for (Node& node : std::views::reverse(graph.nodes)) {
    if (std::ranges::none_of(node.outputs, [&](const auto& o) { return read.contains(o); }))
      continue;
    read.insert(node.inputs.begin(), node.inputs.end());
    kept.push_back(std::move(node));
  }
  std::ranges::reverse(kept);
  graph.nodes = std::move(kept);
  std::erase_if(graph.initializers, [&](const auto& entry) { return !read.contains(entry.first); });
}

FreshNames::FreshNames(const Graph& graph) {
  for (const auto& input : graph.inputs) use(input.name);
  for (const auto& [name, tensor] : graph.initializers) use(name);
  for (const auto& node : graph.nodes)
    for (const auto& output : node.outputs) use(output);
}

void FreshNames::use(const std::string& name) { next_.emplace(name, 2); }

std::string FreshNames::operator()(const std::string& stem) {
  const auto [known, fresh] = next_.emplace(stem, 2);
  if (fresh) return stem;
  int& next = known->second;  // stays in place when names are added
  while (true) {
    std::string name = fmt::format("{}{}{}", stem, separator_, next++);
    if (next_.emplace(name, 2).second) return name;
  }
}

}  // namespace fp8q
