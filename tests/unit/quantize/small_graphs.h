// Builds small models by hand, and the Sites that feed their products.
#pragma once

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "calibrate/statistics.h"
#include "graph/site.h"
#include "quantize/planner.h"

namespace fp8q::test {

struct ModelBuilder {
  Model model;
  ModelBuilder() {
    model.ir_version = 10;
    model.opsets[""] = 21;
    model.graph.name = "small";
  }
  ModelBuilder& input(const std::string& name, const Shape& shape, DType dtype = DType::f32) {
    model.graph.inputs.push_back(info_of(name, shape, dtype));
    return *this;
  }
  ModelBuilder& output(const std::string& name, const Shape& shape) {
    model.graph.outputs.push_back(info_of(name, shape, DType::f32));
    return *this;
  }
  ModelBuilder& constant(const std::string& name, Tensor tensor) {
    model.graph.initializers[name] = std::move(tensor);
    return *this;
  }
  ModelBuilder& node(const std::string& op_type, std::vector<std::string> inputs,
                     const std::string& output, std::map<std::string, Attribute> attributes = {}) {
    Node n;
    n.op_type = op_type;
    n.name = "node:" + output;
    n.inputs = std::move(inputs);
    n.outputs = {output};
    n.attributes = std::move(attributes);
    model.graph.nodes.push_back(std::move(n));
    return *this;
  }

 private:
  static ValueInfo info_of(const std::string& name, const Shape& shape, DType dtype) {
    ValueInfo info{.name = name, .dtype = dtype, .has_shape = true, .shape = {}};
    for (const int64_t d : shape) info.shape.push_back({.value = d, .parameter = ""});
    return info;
  }
};

inline Tensor random_tensor(const Shape& shape, uint32_t seed, float sigma = 1.0f) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0f, sigma);
  Tensor tensor(DType::f32, shape);
  for (float& x : tensor.mutable_data<float>()) x = normal(random);
  return tensor;
}

// Makes statistics in which every activation Site has seen a few values up to `absmax`.
inline Statistics statistics_for(const std::vector<Site>& sites, float absmax = 6.0f) {
  Statistics statistics;
  for (const Site& site : sites) {
    if (site.kind == SiteKind::weight || statistics.find(site.value)) continue;
    statistics.sites.push_back({site.value, site.path, {}});
    const std::vector<float> values = {absmax, -absmax / 3, 0.1f, 0.0f, 1.0f, absmax / 2};
    statistics.sites.back().statistics.observe(values, 0, 0);
  }
  return statistics;
}

inline std::vector<Site> with_role(std::vector<Site> sites, SiteRole role) {
  for (Site& site : sites)
    if (site.role == SiteRole::other) site.role = role;
  return sites;
}

inline bool is_dynamic(const Recipe& recipe) {
  return recipe.activation_granularity == Granularity::token;
}

inline const Node* find_node(const Model& model, const std::string& output) {
  for (const Node& node : model.graph.nodes)
    for (const auto& o : node.outputs)
      if (o == output) return &node;
  return nullptr;
}

inline const SitePlan& plan_of(const Plan& plan, std::string_view value) {
  for (const SitePlan& site : plan.sites)
    if (site.value == value) return site;
  throw std::runtime_error("no plan for " + std::string(value));
}

// Makes one linear layer, x [4, 6] -> MatMul W [6, 5] + b.
inline Model linear_model(const Tensor& weight) {
  ModelBuilder b;
  b.input("x", {4, weight.dim(0)}).output("y", {4, weight.dim(1)});
  b.constant("W", weight).constant("b", random_tensor({weight.dim(1)}, 2));
  b.node("MatMul", {"x", "W"}, "xW").node("Add", {"xW", "b"}, "y");
  return b.model;
}

// Makes Softmax(q Transpose(k)) v with q, k, v [2, 3, 4].
inline Model attention_model() {
  ModelBuilder b;
  b.input("q", {2, 3, 4}).input("k", {2, 3, 4}).input("v", {2, 3, 4}).output("y", {2, 3, 4});
  b.node("Transpose", {"k"}, "kT", {{"perm", std::vector<int64_t>{0, 2, 1}}});
  b.node("MatMul", {"q", "kT"}, "scores");
  b.node("Softmax", {"scores"}, "p", {{"axis", int64_t{-1}}});
  b.node("MatMul", {"p", "v"}, "y");
  return b.model;
}

inline std::vector<Site> attention_sites(const Model& model) {
  auto sites = generic_sites(model);
  const std::map<std::string, SiteRole> roles = {{"q", SiteRole::query},
                                                 {"kT", SiteRole::key},
                                                 {"p", SiteRole::probabilities},
                                                 {"v", SiteRole::value}};
  for (Site& site : sites) site.role = roles.at(site.value);
  return sites;
}

// Returns the recipes whose weights have a scale per output channel, which the tests of single
// layers expect.
inline std::vector<Recipe> recipes_by_channel() {
  std::vector<Recipe> recipes;
  for (const Recipe& recipe : all_recipes())
    if (recipe.weight_granularity == Granularity::channel) recipes.push_back(recipe);
  return recipes;
}

// GoogleTest takes no '-' in names.
inline std::string test_name(const Recipe& recipe) {
  std::string name(recipe.name);
  std::ranges::replace(name, '-', '_');
  return name;
}

}  // namespace fp8q::test
