#include "study/site_comparison.h"

#include <map>

#include "base/error.h"
#include "graph/site_rounding.h"
#include "interpreter/interpreter.h"
#include "quantize/constants.h"

namespace fp8q {
namespace {

[[noreturn]] void fail_sizes(const ComparedModel& a, const ComparedModel& b, const Site& site) {
  fail(ErrorCode::unsupported,
       "{} and {} do not correspond: {} has another size in each; compare models of the same "
       "architecture",
       printable(a.name), printable(b.name), printable(site.path));
}

// Returns what products read of the values at an activation Site.
std::vector<float> rounded(const Site& site, std::span<const float> values, int64_t columns) {
  const Quantization& quantization = *site.quantization;
  if (quantization.scale.size() != 1)
    fail(ErrorCode::unsupported, "{}: an activation with {} scales; one per tensor is understood",
         printable(site.path), quantization.scale.size());
  std::vector<float> result(values.begin(), values.end());
  round_values(quantization, result, columns);
  return result;
}

// Returns the factors of the channels of the value that a weight meets. The list is empty if there
// are none.
std::vector<float> factors_before(const ComparedModel& of, const Site& weight) {
  for (const Site& site : of.sites)
    if (site.kind == SiteKind::activation && site.quantization)
      for (const Use& use : site.uses)
        if (use.node == weight.uses.front().node && use.input == 0)
          return site.quantization->factors;
  return {};
}

// Returns a constant operand as its product reads it, with output channels along the last axis. If
// it was divided by factors of channels, they are multiplied in again.
Tensor weight_of(const ComparedModel& of, const Interpreter& interpreter, const Site& site) {
  const Use& use = site.uses.front();
  const Tensor* found = interpreter.constant(of.model.graph.nodes[use.node].inputs[use.input]);
  if (!found)
    fail(ErrorCode::unsupported, "{}: the weight of {} is computed from inputs", printable(of.name),
         printable(site.path));
  Tensor weight = found->to(DType::f32);
  if (weight.rank() == 2 && site.channel_axis == 0) weight = transposed(weight, {1, 0});
  const std::vector<float> factors = factors_before(of, site);
  if (factors.empty()) return weight;
  Tensor product(DType::f32, weight.shape());
  const size_t columns = static_cast<size_t>(weight.dim(1));
  for (size_t i = 0; i < weight.data<float>().size(); ++i)
    product.mutable_data<float>()[i] = weight.data<float>()[i] * factors[i / columns];
  return product;
}

}  // namespace

SiteComparison::SiteComparison(ComparedModel from_a, ComparedModel from_b)
    : a_(std::move(from_a)), b_(std::move(from_b)), pair_of_b_(b_.sites.size(), -1) {
  const ComparedModel &a = a_, &b = b_;
  const auto only_in = [](const ComparedModel& has, const ComparedModel& lacks,
                          const std::string& path) {
    fail(ErrorCode::unsupported,
         "{} has the Site {}, {} has not: only models with the same Sites can be compared (two "
         "exports or conversions of one model)",
         printable(has.name), printable(path), printable(lacks.name));
  };
  std::map<std::string, size_t> in_b;
  for (size_t s = 0; s < b.sites.size(); ++s) in_b[b.sites[s].path] = s;
  for (size_t s = 0; s < a.sites.size(); ++s) {
    const auto found = in_b.find(a.sites[s].path);
    if (found == in_b.end() || b.sites[found->second].kind != a.sites[s].kind)
      only_in(a, b, a.sites[s].path);
    pair_of_b_[found->second] = static_cast<int>(pairs_.size());
    pairs_.push_back({s, found->second});
  }
  for (size_t s = 0; s < b.sites.size(); ++s)
    if (pair_of_b_[s] < 0) only_in(b, a, b.sites[s].path);
  errors_.resize(pairs_.size());
}

void SiteComparison::compare_weights() {
  const Interpreter interpreter_a(a_.model), interpreter_b(b_.model);
  for (size_t p = 0; p < pairs_.size(); ++p) {
    if (site_a(p).kind != SiteKind::weight) continue;
    compare_weight(p, weight_of(a_, interpreter_a, site_a(p)),
                   weight_of(b_, interpreter_b, site_b(p)));
  }
}

void SiteComparison::compare_weight(size_t pair, const Tensor& from, const Tensor& to) {
  if (from.shape() != to.shape()) fail_sizes(a_, b_, site_a(pair));
  SiteError& e = errors_[pair];
  const auto x = from.data<float>(), y = to.data<float>();
  e.error.add(x, y);
  if (!site_b(pair).quantization) return;
  for (size_t i = 0; i < x.size(); ++i) e.underflowed += y[i] == 0 && x[i] != 0;
}

void SiteComparison::compare_batch(Engine& engine_a, Engine& engine_b, const PackedBatch& batch,
                                   OutputErrors& outputs) {
  // Both lists are by Site of `a`: its values as products read them, and how many of them were
  // compared with `b`.
  std::vector<std::vector<float>> seen(a_.sites.size());
  std::vector<size_t> used(a_.sites.size());
  const auto result_a =
      engine_a.run(batch, [&](int site, std::span<const float> values, int64_t columns) {
        const auto s = static_cast<size_t>(site);
        if (a_.sites[s].quantization) {
          const std::vector<float> read = rounded(a_.sites[s], values, columns);
          seen[s].insert(seen[s].end(), read.begin(), read.end());
        } else {
          seen[s].insert(seen[s].end(), values.begin(), values.end());
        }
      });
  const auto result_b =
      engine_b.run(batch, [&](int site, std::span<const float> values, int64_t columns) {
        const auto pair = static_cast<size_t>(pair_of_b_[static_cast<size_t>(site)]);
        const size_t s = pairs_[pair].a;
        if (used[s] + values.size() > seen[s].size()) fail_sizes(a_, b_, site_a(pair));
        const std::span<const float> reference(seen[s].data() + used[s], values.size());
        used[s] += values.size();
        SiteError& e = errors_[pair];
        if (!site_b(pair).quantization) return e.error.add(reference, values);
        const std::vector<float> read = rounded(site_b(pair), values, columns);
        e.error.add(reference, read);
        e.rounding.add(values, read);
      });
  for (const Pair& pair : pairs_)
    if (used[pair.a] != seen[pair.a].size()) fail_sizes(a_, b_, a_.sites[pair.a]);
  outputs.add(result_a, result_b, batch);
}

void SiteComparison::take_counts(const std::vector<SiteRounding>& counts) {
  for (size_t s = 0; s < counts.size(); ++s) {
    if (b_.sites[s].kind != SiteKind::activation) continue;
    SiteError& e = errors_[static_cast<size_t>(pair_of_b_[s])];
    e.saturated = counts[s].saturated;
    e.underflowed = counts[s].underflowed;
  }
}

}  // namespace fp8q
