// Puts any graph behind the Engine interface, through the interpreter.

#include <algorithm>
#include <cctype>
#include <map>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "base/error.h"
#include "base/threads.h"
#include "engine/engine.h"
#include "interpreter/abstract.h"
#include "interpreter/interpreter.h"
#include "kernels/cpu/codec.h"
#include "numeric/token_scale.h"

namespace fp8q {
namespace {

enum class InputKind { ids, mask, token_types, positions };

struct BoundInput {
  std::string name;
  InputKind kind;
  DType dtype;
};

// Says what the graph fixes about its inputs. A dimension that the graph leaves open is -1.
struct FixedShape {
  int64_t batch = -1;
  int64_t sequence = -1;
};

std::optional<InputKind> kind_by_name(const std::string& name) {
  std::string lower = name;
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const auto has = [&](const char* part) { return lower.find(part) != std::string::npos; };
  if (has("mask")) return InputKind::mask;
  if (has("token_type") || has("segment")) return InputKind::token_types;
  if (has("position")) return InputKind::positions;
  if (has("input_ids")) return InputKind::ids;
  return std::nullopt;
}

std::vector<BoundInput> bind_inputs(const Graph& graph) {
  std::vector<BoundInput> bound;
  const bool ids_named = std::any_of(graph.inputs.begin(), graph.inputs.end(), [](const auto& i) {
    return kind_by_name(i.name) == InputKind::ids;
  });
  bool taken = false;  // the token ids
  for (const ValueInfo& input : graph.inputs) {
    const bool integer = input.dtype == DType::i32 || input.dtype == DType::i64;
    auto kind = kind_by_name(input.name);
    if (!kind && integer && !ids_named && !taken) kind = InputKind::ids;
    const bool mask = kind == InputKind::mask && input.dtype == DType::boolean;
    if (!kind || !(integer || mask) || (kind == InputKind::ids && taken) ||
        (input.has_shape && input.shape.size() != 2))
      fail(ErrorCode::unsupported,
           "input \"{}\" ({}) is not understood: fp8q feeds token ids, attention mask, token types "
           "and positions, integers of the shape [batch, sequence]",
           printable(input.name), name(input.dtype));
    bound.push_back({input.name, *kind, input.dtype});
    taken = taken || kind == InputKind::ids;
  }
  if (!taken) fail(ErrorCode::unsupported, "the model has no integer input for token ids");
  return bound;
}

FixedShape fixed_shape(const Graph& graph) {
  FixedShape fixed;
  for (const ValueInfo& input : graph.inputs) {
    if (!input.has_shape) continue;
    fixed.batch = std::max(fixed.batch, input.shape[0].value);
    fixed.sequence = std::max(fixed.sequence, input.shape[1].value);
  }
  return fixed;
}

// Returns the first extents[axis] elements along every axis, as FP32.
std::vector<float> crop(const Tensor& tensor, const Shape& extents) {
  const Tensor f = tensor.to(DType::f32);
  const auto from = f.data<float>();
  const auto n = static_cast<size_t>(elements(extents));
  if (extents == f.shape()) return {from.begin(), from.end()};
  std::vector<float> out(n);
  for (size_t i = 0; i < n; ++i) {
    size_t rest = i, at = 0, stride = 1;
    for (size_t axis = extents.size(); axis-- > 0;) {
      const auto extent = static_cast<size_t>(extents[axis]);
      at += rest % extent * stride;
      rest /= extent;
      stride *= static_cast<size_t>(f.shape()[axis]);
    }
    out[i] = from[at];
  }
  return out;
}

class InterpreterEngine final : public Engine {
 public:
  InterpreterEngine(const Model& model, const std::vector<Site>& sites);
  std::vector<EngineOutput> run(const PackedBatch& batch, const SiteObserver& observer) override;
  std::vector<EngineOutput> run_transformed(const PackedBatch& batch,
                                            std::span<const SiteTransform> transforms) override;
  std::vector<SiteRounding> rounding() const override;
  std::vector<KernelChoice> kernels() const override;
  std::string device() const override { return "cpu"; }
  std::string description() const override;

 private:
  using Tensors = std::map<std::string, Tensor>;

  // Returns whether axis 1 of the output runs over the tokens.
  bool follows_tokens(const Shape& a, const Shape& b) const;
  void describe_outputs();
  Tensors inputs_for(const PackedBatch& batch, size_t sequence) const;
  Tensor input_tensor(const BoundInput& input, const PackedBatch& batch, size_t from,
                      size_t tokens) const;
  Shape extents_at(int site, const Shape& shape, int64_t tokens) const;
  Interpreter::Watch watch_for(int64_t tokens, const SiteObserver& observer);
  void count(int site, std::vector<float> values, int64_t columns);
  std::vector<EngineOutput> gather(const std::vector<Tensors>& results,
                                   const PackedBatch& batch) const;
  Shape real_extents(const Shape& shape, int64_t tokens, bool cut_last) const;
  void check(const PackedBatch& batch) const;
  void collect(const std::vector<Tensors>& results, const PackedBatch& batch, size_t output,
               EngineOutput& out) const;

  const Model* model_;
  std::vector<Site> sites_;
  Interpreter interpreter_;
  std::vector<BoundInput> inputs_;
  FixedShape fixed_;
  std::vector<bool> per_token_;  // by graph output
  std::unordered_multimap<std::string, int> watched_;
  std::mutex counts_mutex_;
  std::vector<SiteRounding> counts_;  // by Site
  bool any_rounded_ = false;
};

InterpreterEngine::InterpreterEngine(const Model& model, const std::vector<Site>& sites)
    : model_(&model),
      sites_(sites),
      interpreter_(model),
      inputs_(bind_inputs(model.graph)),
      fixed_(fixed_shape(model.graph)),
      counts_(sites.size()) {
  describe_outputs();
  for (size_t i = 0; i < sites.size(); ++i) {
    if (sites[i].kind != SiteKind::activation) continue;
    watched_.emplace(sites[i].value, static_cast<int>(i));
    any_rounded_ = any_rounded_ || sites[i].quantization;
  }
}

bool InterpreterEngine::follows_tokens(const Shape& a, const Shape& b) const {
  if (a.size() < 2) return false;
  return fixed_.sequence < 0 ? a[1] != b[1] : a[1] == fixed_.sequence;
}

// If the sequence length is open, the axis that changes with it is the axis of the tokens.
void InterpreterEngine::describe_outputs() {
  const auto shapes = [&](int64_t sequence) {
    return evaluate_abstractly(*model_, input_shapes_for(*model_, 1, sequence));
  };
  const AbstractValues a = shapes(6);
  const AbstractValues b = shapes(7);
  for (const ValueInfo& output : model_->graph.outputs)
    per_token_.push_back(follows_tokens(a.at(output.name).shape, b.at(output.name).shape));
}

void InterpreterEngine::check(const PackedBatch& batch) const {
  for (size_t s = 0; s < batch.sequences(); ++s) {
    const int64_t tokens = batch.offsets[s + 1] - batch.offsets[s];
    if (tokens <= 0) fail(ErrorCode::bad_data, "sequence {} has no tokens", s);
    if (fixed_.sequence < 0) continue;
    if (tokens > fixed_.sequence)
      fail(ErrorCode::bad_data, "sequence {} has {} tokens; the model's shapes are fixed at {}", s,
           tokens, fixed_.sequence);
    const bool masked = std::any_of(inputs_.begin(), inputs_.end(),
                                    [](const auto& i) { return i.kind == InputKind::mask; });
    if (tokens < fixed_.sequence && !masked)
      fail(ErrorCode::unsupported,
           "the model's shapes are fixed at {} tokens and it has no attention mask: sequence {} "
           "with {} tokens cannot be padded",
           fixed_.sequence, s, tokens);
  }
}

Tensor InterpreterEngine::input_tensor(const BoundInput& input, const PackedBatch& batch,
                                       size_t from, size_t tokens) const {
  const int64_t width = fixed_.sequence < 0 ? static_cast<int64_t>(tokens) : fixed_.sequence;
  const int64_t rows = fixed_.batch < 0 ? 1 : fixed_.batch;
  Tensor t(DType::i64, {rows, width});
  auto to = t.mutable_data<int64_t>();
  for (size_t i = 0; i < to.size(); ++i) {
    const size_t at = i % static_cast<size_t>(width);
    const bool real = at < tokens;
    switch (input.kind) {
      case InputKind::ids:
        to[i] = real ? batch.ids[from + at] : 0;
        break;
      case InputKind::mask:
        to[i] = real ? 1 : 0;
        break;
      case InputKind::token_types:
        to[i] = real ? batch.type_ids[from + at] : 0;
        break;
      case InputKind::positions:
        to[i] = static_cast<int64_t>(at);
        break;
    }
  }
  return t.to(input.dtype);
}

InterpreterEngine::Tensors InterpreterEngine::inputs_for(const PackedBatch& batch, size_t s) const {
  const auto from = static_cast<size_t>(batch.offsets[s]);
  const size_t tokens = static_cast<size_t>(batch.offsets[s + 1]) - from;
  Tensors tensors;
  for (const BoundInput& input : inputs_)
    tensors.emplace(input.name, input_tensor(input, batch, from, tokens));
  return tensors;
}

// Returns the extents of the part of a tensor that belongs to the real tokens of the one sequence.
// With fixed shapes, axes as long as the sequence are cut, and a repeated batch is dropped.
// `cut_last` says whether the last axis may be one of tokens; otherwise it is one of channels,
// whatever its length.
Shape InterpreterEngine::real_extents(const Shape& shape, int64_t tokens, bool cut_last) const {
  Shape extents = shape;
  const int64_t batch = std::max<int64_t>(fixed_.batch, 1);
  if (!extents.empty() && batch > 1) {
    if (extents[0] == batch) extents[0] = 1;
    else if (fixed_.sequence > 0 && extents[0] == batch * fixed_.sequence) extents[0] = tokens;
  }
  if (fixed_.sequence < 0) return extents;
  for (size_t axis = 0; axis < extents.size(); ++axis)
    if (extents[axis] == fixed_.sequence && (cut_last || axis + 1 < extents.size()))
      extents[axis] = tokens;
  return extents;
}

Shape InterpreterEngine::extents_at(int site, const Shape& shape, int64_t tokens) const {
  const SiteRole role = sites_[static_cast<size_t>(site)].role;
  return real_extents(shape, tokens,
                      !has_channels(role) || role == SiteRole::key || role == SiteRole::other);
}

// Counts the values that are rounded, and shows all values to `observer` if there is one.
Interpreter::Watch InterpreterEngine::watch_for(int64_t tokens, const SiteObserver& observer) {
  if (!observer && !any_rounded_) return nullptr;
  return [this, tokens, &observer](const std::string& value, const Tensor& tensor) {
    const auto [first, last] = watched_.equal_range(value);
    std::vector<int> found;
    for (auto it = first; it != last; ++it) found.push_back(it->second);
    std::sort(found.begin(), found.end());
    for (const int site : found) {
      const bool rounds = sites_[static_cast<size_t>(site)].quantization.has_value();
      if (!observer && !rounds) continue;
      const Shape extents = extents_at(site, tensor.shape(), tokens);
      const std::vector<float> values = crop(tensor, extents);
      const int64_t columns = extents.empty() ? 1 : extents.back();
      if (rounds) count(site, values, columns);
      if (observer) observer(site, values, columns);
    }
  };
}

void InterpreterEngine::count(int site, std::vector<float> values, int64_t columns) {
  const Quantization& q = *sites_[static_cast<size_t>(site)].quantization;
  if (q.scale.size() != 1) return;
  if (!q.factors.empty())
    for (size_t i = 0; i < values.size(); ++i) values[i] *= q.factors[i % q.factors.size()];
  SiteRounding found{.values = values.size()};
  const size_t row = q.per_token ? static_cast<size_t>(columns) : values.size();
  for (size_t at = 0; at < values.size(); at += row) {
    const auto part = std::span<const float>(values).subspan(at, row);
    float scale = q.scale.data<float>()[0];
    if (q.per_token) scale = token_scale(q.format, cpu::absmax(part.data(), part.size()));
    for (const float x : part) {
      found.saturated += saturates(q.format, x, scale);
      found.underflowed += underflows(q.format, x, scale);
    }
  }
  const std::lock_guard lock(counts_mutex_);
  SiteRounding& total = counts_[static_cast<size_t>(site)];
  total.values += found.values;
  total.saturated += found.saturated;
  total.underflowed += found.underflowed;
}

std::vector<SiteRounding> InterpreterEngine::rounding() const { return counts_; }

void InterpreterEngine::collect(const std::vector<Tensors>& results, const PackedBatch& batch,
                                size_t output, EngineOutput& out) const {
  out.name = model_->graph.outputs[output].name;
  out.per_token = per_token_[output];
  for (size_t s = 0; s < results.size(); ++s) {
    const Tensor& t = results[s].at(out.name);
    const int64_t tokens = batch.offsets[s + 1] - batch.offsets[s];
    Shape extents = t.shape();
    if (!extents.empty()) extents[0] = 1;
    if (out.per_token) extents[1] = tokens;
    const std::vector<float> values = crop(t, extents);
    out.width = static_cast<int64_t>(values.size()) / (out.per_token ? tokens : 1);
    out.values.insert(out.values.end(), values.begin(), values.end());
  }
}

std::vector<EngineOutput> InterpreterEngine::run(const PackedBatch& batch,
                                                 const SiteObserver& observer) {
  check(batch);
  std::vector<Tensors> results(batch.sequences());
  const auto run_one = [&](size_t s) {
    results[s] = interpreter_.run(inputs_for(batch, s),
                                  watch_for(batch.offsets[s + 1] - batch.offsets[s], observer));
  };
  if (observer)
    for (size_t s = 0; s < results.size(); ++s) run_one(s);
  else parallel_for(results.size(), run_one);
  return gather(results, batch);
}

std::vector<EngineOutput> InterpreterEngine::gather(const std::vector<Tensors>& results,
                                                    const PackedBatch& batch) const {
  std::vector<EngineOutput> outputs(model_->graph.outputs.size());
  for (size_t i = 0; i < outputs.size(); ++i) collect(results, batch, i, outputs[i]);
  return outputs;
}

// A Site's values are changed separately at every slot that reads them, and in the outputs.
std::vector<EngineOutput> InterpreterEngine::run_transformed(
    const PackedBatch& batch, std::span<const SiteTransform> transforms) {
  check(batch);
  check_transforms(sites_, transforms);
  if (fixed_.sequence >= 0)
    fail(ErrorCode::unsupported, "values at Sites of a model with fixed shapes cannot be changed");
  std::map<std::pair<size_t, size_t>, int> slots;
  std::map<std::string, int> outputs;
  for (size_t i = 0; i < sites_.size(); ++i) {
    if (!transforms[i].apply) continue;
    for (const Use& use : sites_[i].uses) slots[{use.node, use.input}] = static_cast<int>(i);
    if (const auto& sum = sites_[i].residual; sum && transforms[i].residual)
      slots[{sum->node, sum->input}] = static_cast<int>(i);
    if (!is_operand(sites_[i].role)) outputs[sites_[i].value] = static_cast<int>(i);
  }
  const auto changed = [&](int site, Tensor tensor) {
    const int64_t columns = tensor.rank() == 0 ? 1 : tensor.dim(-1);
    const DType dtype = tensor.dtype();
    tensor = tensor.to(DType::f32);
    transforms[static_cast<size_t>(site)].apply(tensor.mutable_data<float>(), columns);
    return tensor.to(dtype);
  };
  std::vector<Tensors> results(batch.sequences());
  parallel_for(results.size(), [&](size_t s) {
    results[s] =
        interpreter_.run(inputs_for(batch, s), nullptr,
                         [&](const Use& use, const Tensor& value) -> std::optional<Tensor> {
                           const auto at = slots.find({use.node, use.input});
                           if (at == slots.end()) return std::nullopt;
                           return changed(at->second, value);
                         });
    for (auto& [name, tensor] : results[s])
      if (const auto at = outputs.find(name); at != outputs.end())
        tensor = changed(at->second, tensor);
  });
  return gather(results, batch);
}

std::vector<KernelChoice> InterpreterEngine::kernels() const {
  std::vector<KernelChoice> kernels;
  for (const Site& site : sites_)
    kernels.push_back(
        {site.path, site.quantization ? std::string(info(site.quantization->format).name) : "fp32",
         "as the graph says, operator by operator (reference interpreter)"});
  return kernels;
}

std::string InterpreterEngine::description() const {
  return fmt::format("cpu, reference interpreter, {} thread{}", threads(),
                     threads() == 1 ? "" : "s");
}

}  // namespace

std::unique_ptr<Engine> make_interpreter_engine(const Model& model,
                                                const std::vector<Site>& sites) {
  return std::make_unique<InterpreterEngine>(model, sites);
}

}  // namespace fp8q
