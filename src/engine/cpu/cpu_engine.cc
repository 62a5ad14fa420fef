#include "engine/cpu/cpu_engine.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <numeric>

#include "base/error.h"
#include "base/threads.h"
#include "engine/cpu/roof.h"
#include "kernels/cpu/isa.h"
#include "kernels/cpu/norm.h"

namespace fp8q::cpu {
namespace {

Function function_of(Activation a) {
  switch (a) {
    case Activation::none:
      return Function::none;
    case Activation::gelu_erf:
      return Function::gelu_erf;
    case Activation::gelu_tanh:
      return Function::gelu_tanh;
    case Activation::relu:
      return Function::relu;
    case Activation::tanh:
      return Function::tanh;
  }
  FP8Q_ASSERT(!"activation without a kernel");
}

// Returns the operations of a matrix product: 2 per multiplication with its addition.
double operations(size_t rows, size_t in, size_t out) {
  return 2.0 * static_cast<double>(rows) * static_cast<double>(in) * static_cast<double>(out);
}

// FP8 weights are expanded to BF16, which saves decoding, if all of a model's weights then take at
// most this much memory. It is half of what running a model may take in addition to its file.
constexpr size_t kExpandedWeights = size_t{32} << 20;

size_t weights_of(const Encoder& e) {
  size_t sum = 0;
  for (const EncoderLayer& l : e.layers)
    for (const Linear* one :
         {&l.query, &l.key, &l.value, &l.attention_output, &l.intermediate, &l.output})
      sum += static_cast<size_t>(one->in * one->out);
  return sum;
}

void check(const Encoder& e) {
  if (const char* wanted = std::getenv("FP8Q_ISA"); wanted && !isa_named(wanted))
    fail(ErrorCode::usage,
         "FP8Q_ISA={}: use scalar, avx2, avx512, avx512-vnni, avx512-bf16 or amx, or unset it",
         printable(wanted));
  for (size_t i = 0; i < e.layers.size(); ++i) {
    const Attention& a = e.layers[i].attention;
    if (a.heads <= 0 || a.head_size <= 0 || a.heads * a.head_size != e.hidden)
      fail(ErrorCode::unsupported,
           "layer {}: {} heads of {} channels do not make the hidden size {}", i, a.heads,
           a.head_size, e.hidden);
  }
}

}  // namespace

CpuEngine::CpuEngine(const Encoder& encoder, ComputeType compute,
                     const std::function<void()>& layer_ready)
    : sites_(encoder.sites),
      activation_sites_(encoder.sites),
      output_rows_(output_rows(encoder)),
      head_kind_(encoder.head_kind),
      compute_(compute),
      expand_codes_(weights_of(encoder) * sizeof(uint16_t) <= kExpandedWeights),
      hidden_(static_cast<size_t>(encoder.hidden)),
      limits_(encoder),
      embeddings_(encoder) {
  isa();  // settles the level before the first kernel runs
  note_kernels();
  if (encoder.embeddings.projection) projection_ = make_step({&*encoder.embeddings.projection});
  const size_t width = projection_ ? projection_->linear.out() : embeddings_.width();
  if (width != hidden_)
    fail(ErrorCode::bad_model, "the embeddings have width {}, the encoder {}", width, hidden_);
  // Makes two layers at a time, since each holds the FP32 values of a matrix or two. Layers have no
  // Site in common, so that each notes kernels of its own.
  constexpr size_t kSideBySide = 2;
  for (size_t first = 0; first < encoder.layers.size(); first += kSideBySide) {
    std::array<std::optional<Layer>, kSideBySide> made;
    parallel_for(std::min(kSideBySide, encoder.layers.size() - first), [&](size_t i) {
      made[i].emplace(make_layer(encoder.layers[first + i]));
      if (layer_ready) layer_ready();
    });
    for (std::optional<Layer>& layer : made)
      if (layer) layers_.push_back(std::move(*layer));
  }
  for (const HeadStage& stage : encoder.head)
    head_.push_back({make_step({&stage.linear}), stage.activation});
}

void CpuEngine::note_kernels() {
  for (const Site& site : sites_) {
    const bool operand = is_operand(site.role);
    const bool half = compute_ == ComputeType::bf16 && operand && !site.quantization;
    const std::string requested(site.quantization ? info(site.quantization->format).name
                                : half            ? "bf16"
                                                  : "fp32");
    kernels_.push_back({site.path, requested,
                        operand             ? "not used"
                        : site.quantization ? "fp32, rounded to " + requested
                                            : requested});
  }
}

void CpuEngine::note(int site, const std::string& effective) {
  if (site >= 0) kernels_.at(static_cast<size_t>(site)).effective = effective;
}

LinearStep CpuEngine::make_step(const std::vector<const Linear*>& linears) {
  LinearStep step{linears.front()->input_site, linears.front()->result_site,
                  PreparedLinear(linears, sites_, compute_, expand_codes_)};
  const std::string effective = step.linear.effective();
  for (const Linear* l : linears) {
    note(l->weight_site, effective);
    note(l->input_site, effective);
  }
  return step;
}

CpuEngine::Layer CpuEngine::make_layer(const EncoderLayer& l) {
  std::vector<LinearStep> projections;
  const bool one_site =
      l.key.input_site == l.query.input_site && l.value.input_site == l.query.input_site;
  if (one_site && can_join({&l.query, &l.key, &l.value}, sites_)) {
    projections.push_back(make_step({&l.query, &l.key, &l.value}));
  } else {
    for (const Linear* one : {&l.query, &l.key, &l.value}) projections.push_back(make_step({one}));
  }
  AttentionBlock attention(l.attention, sites_);
  for (const int site : {l.attention.query_site, l.attention.key_site,
                         l.attention.probabilities_site, l.attention.value_site})
    if (site >= 0) note(site, attention.effective(site));
  return {.projections = std::move(projections),
          .attention = std::move(attention),
          .attention_residual_rounded = l.attention_residual_rounded,
          .attention_output = make_step({&l.attention_output}),
          .attention_norm = NormStep(l.attention_norm, hidden_),
          .output_residual_rounded = l.output_residual_rounded,
          .intermediate = make_step({&l.intermediate}),
          .activation = l.activation,
          .output = make_step({&l.output}),
          .output_norm = NormStep(l.output_norm, hidden_)};
}

std::string CpuEngine::description() const {
  const bool tiles = isa() == Isa::amx;
  return fmt::format("cpu, {} (Highway){}, {} thread{}", title(isa()),
                     tiles ? ", oneDNN " + dnnl_version_text() : "", threads(),
                     threads() == 1 ? "" : "s");
}

std::unique_ptr<CpuEngine::Workspace> CpuEngine::Workspaces::take() {
  const std::lock_guard lock(mutex_);
  if (idle_.empty()) return std::make_unique<Workspace>();
  auto workspace = std::move(idle_.back());
  idle_.pop_back();
  return workspace;
}

void CpuEngine::Workspaces::give_back(std::unique_ptr<Workspace> workspace) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(workspace));
}

std::vector<EngineOutput> CpuEngine::run(const PackedBatch& batch, const SiteObserver& observer) {
  return run_passing(batch, {&activation_sites_, observer ? &observer : nullptr});
}

std::vector<EngineOutput> CpuEngine::run_transformed(const PackedBatch& batch,
                                                     std::span<const SiteTransform> transforms) {
  check_transforms(sites_, transforms);
  return run_passing(batch, {.sites = &activation_sites_, .transforms = transforms});
}

std::vector<EngineOutput> CpuEngine::run_passing(const PackedBatch& batch, const SitePass& pass) {
  limits_.check(batch);
  std::vector<EngineOutput> outputs = make_outputs(output_rows_, batch);
  const Division division = divide(batch, pass.observer != nullptr);
  division.for_each([&](size_t i) { run_micro(batch, division.micros[i], {pass}, outputs); });
  return outputs;
}

std::vector<StageTime> CpuEngine::profile(const PackedBatch& batch) {
  limits_.check(batch);
  std::vector<EngineOutput> outputs = make_outputs(output_rows_, batch);
  const Division division = divide(batch, false);
  std::vector<StageClock> clocks(division.micros.size());
  division.for_each([&](size_t i) {
    run_micro(batch, division.micros[i], {{&activation_sites_}, &clocks[i]}, outputs);
  });
  StageClock all;
  for (const StageClock& clock : clocks) all.add(clock);
  return all.times(division.side_by_side ? 1.0 / threads() : 1.0);
}

std::vector<Roof> CpuEngine::roofs() { return measure_roofs(); }

void CpuEngine::run_micro(const PackedBatch& batch, const MicroBatch& micro, const Watch& watch,
                          std::vector<EngineOutput>& outputs) {
  std::unique_ptr<Workspace> w = workspaces_.take();
  w->watch = watch;
  w->head_rows.resize(head_.size() + 1);
  if (watch.clock) watch.clock->start();
  embed(batch, micro, *w);
  for (size_t i = 0; i < layers_.size(); ++i) run_layer(i, micro, *w);
  if (!head_.empty()) run_head(micro, *w);
  store(micro, *w, outputs);
  workspaces_.give_back(std::move(w));
}

void CpuEngine::embed(const PackedBatch& batch, const MicroBatch& micro, Workspace& w) const {
  float* x = w.x.grow(micro.tokens * hidden_);
  const size_t width = embeddings_.width();
  float* rows = projection_ ? w.wide.grow(micro.tokens * width) : x;
  const EmbeddingBlock::Run args{
      .ids = std::span(batch.ids).subspan(micro.first_token, micro.tokens),
      .type_ids = std::span(batch.type_ids).subspan(micro.first_token, micro.tokens),
      .positions = micro.positions,
      .out = rows,
      .feed = projection_ ? nullptr : feed(next_projection(0), micro.tokens, w)};
  const SitePass& pass = w.watch.pass;
  if (const int site = embeddings_.sum_site(); pass.is_active(site)) {
    embeddings_.sum(args);
    pass.show(site, {rows, width, micro.offsets});
    pass.round(site, {rows, width, micro.offsets});
    parallel_rows(micro.tokens, [&](Range r) {
      float* part = rows + r.from * width;
      embeddings_.normalize(part, r.size());
      if (args.feed) args.feed->take({part, width, r, {0, width}});
    });
  } else {
    embeddings_.run(args);
  }
  w.lap({Stage::embeddings});
  if (projection_)
    run_step(*projection_, {Stage::embeddings, {{rows, width, micro.offsets}}, x}, w);
}

// Returns the projection of the layer with this index, if the layer exists and its q, k and v are
// one product.
CpuEngine::Next CpuEngine::next_projection(size_t layer) const {
  if (layer >= layers_.size() || layers_[layer].projections.size() != 1) return {};
  return {&layers_[layer].projections.front(), true, layers_[layer].attention_residual_rounded};
}

// Returns the feed that quantizes rows on their way to the next layer as they are made. Returns
// nullptr if the next layer reads the rows as they are, or if the rows are watched.
const LinearFeed* CpuEngine::feed(const Next& next, size_t rows, Workspace& w) const {
  w.fed = nullptr;
  if (!next.step || next.rounded || w.watch.pass.is_watched(next.step->input_site)) return nullptr;
  const OperandForm& form = next.step->linear.form();
  if (form.is_x() || (form.takes_whole_rows() && !next.whole_rows)) return nullptr;
  w.fed = next.step;
  return &w.feed.emplace(form, rows, w.operands[1 - w.current], activation_sites_,
                         next.step->input_site);
}

// Returns what a linear layer reads at its Site. A transform changes a copy, unless the residual
// sum also adds the changed values.
const float* CpuEngine::enter(int site, const Input& input, Workspace& w) const {
  const SitePass& pass = w.watch.pass;
  SiteRows rows = input.rows;
  if (const SiteTransform* t = pass.transform(site); t && !(input.in_residual && t->residual)) {
    const size_t size = rows.rows() * rows.columns;
    rows.x = w.changed.grow(size);
    std::memcpy(rows.x, input.rows.x, size * sizeof(float));
  }
  if (pass.is_watched(site)) pass.show(site, rows);
  if (input.rounded) pass.round(site, rows);
  return rows.x;
}

// Makes the layer's operand, unless it was fed. If layers share a Site, `entered` is what enter()
// returned for it before. Returns x, whose values were not written if the operand was fed.
const float* CpuEngine::read(const LinearStep& step, const Input& input, const float* entered,
                             Workspace& w) const {
  if (w.fed == &step) {
    w.fed = nullptr;
    w.current = 1 - w.current;
    return input.rows.x;
  }
  const float* x = entered ? entered : enter(step.input_site, input, w);
  const OperandForm& form = step.linear.form();
  if (form.is_x()) return x;
  const size_t rows = input.rows.rows(), columns = input.rows.columns;
  const auto count = form.write_all(x, columns, rows, w.operands[w.current]);
  // Values that have already been rounded are not counted again.
  if (!entered && !input.rounded && activation_sites_.rounding(step.input_site)) {
    activation_sites_.count_values(step.input_site, rows * columns);
    activation_sites_.count(step.input_site, count);
  }
  return x;
}

void CpuEngine::run_step(const LinearStep& step, const Step& args, Workspace& w) const {
  const size_t rows = args.input.rows.rows(), in = step.linear.in(), out = step.linear.out();
  const bool apart = w.watch.pass.is_active(step.result_site);
  const float* x = read(step, args.input, nullptr, w);
  const Operand& operand = w.operands[w.current];
  const LinearFeed* to = apart ? nullptr : feed(args.next, rows, w);
  step.linear.run({.x = x,
                   .x_stride = in,
                   .rows = rows,
                   .function = function_of(apart ? Activation::none : args.activation),
                   .y = to ? nullptr : args.y,
                   .y_stride = out,
                   .feed = to},
                  operand);
  if (apart) finish_apart(step, args, w);
  w.lap({args.stage, step.linear.unit(), operations(rows, in, out)});
}

// Applies the activation function after a result Site.
void CpuEngine::finish_apart(const LinearStep& step, const Step& args, Workspace& w) const {
  const size_t out = step.linear.out();
  const SiteRows y{args.y, out, args.input.rows.offsets};
  w.watch.pass.show(step.result_site, y);
  w.watch.pass.round(step.result_site, y);
  parallel_rows(y.rows(), [&](Range r) {
    activate({function_of(args.activation), y.x + r.from * out, out, r.size(), out});
  });
}

// Writes q, k, v side by side. Projections that share their Site share its values.
void CpuEngine::run_projections(const Layer& layer, const MicroBatch& micro, float* qkv,
                                Workspace& w) const {
  const Input hidden{{w.x.data(), hidden_, micro.offsets}, true, layer.attention_residual_rounded};
  const float* x = nullptr;
  int entered = -1;
  size_t column = 0;
  for (const LinearStep& p : layer.projections) {
    x = read(p, hidden, p.input_site == entered ? x : nullptr, w);
    entered = p.input_site;
    p.linear.run({.x = x,
                  .x_stride = hidden_,
                  .rows = micro.tokens,
                  .function = Function::none,
                  .y = qkv + column,
                  .y_stride = 3 * hidden_},
                 w.operands[w.current]);
    column += p.linear.out();
    w.lap({Stage::qkv, p.linear.unit(), operations(micro.tokens, hidden_, p.linear.out())});
  }
}

void CpuEngine::run_layer(size_t index, const MicroBatch& micro, Workspace& w) const {
  const Layer& layer = layers_[index];
  const size_t tokens = micro.tokens;
  const size_t inner = layer.intermediate.linear.out();
  const std::span<const int32_t> offsets = micro.offsets;
  float* x = w.x.data();
  float* wide = w.wide.grow(tokens * std::max(3 * hidden_, inner));
  float* context = w.context.grow(tokens * hidden_);

  run_projections(layer, micro, wide, w);
  const LinearFeed* to = feed({&layer.attention_output}, tokens, w);
  layer.attention.run({wide, context, offsets, &w.watch.pass, to}, w.attention);
  w.lap({Stage::attention, layer.attention.unit(), layer.attention.operations(offsets)});
  // q, k, v are no longer needed, so their memory takes the product.
  run_step(layer.attention_output, {Stage::attention_output, {{context, hidden_, offsets}}, wide},
           w);
  add_and_norm(wide, layer.attention_norm,
               {&layer.intermediate, true, layer.output_residual_rounded}, micro, w);
  const Input hidden{{x, hidden_, offsets}, true, layer.output_residual_rounded};
  run_step(layer.intermediate,
           {Stage::intermediate, hidden, wide, layer.activation, {&layer.output}}, w);
  run_step(layer.output, {Stage::output, {{wide, inner, offsets}}, context}, w);
  add_and_norm(context, layer.output_norm, next_projection(index + 1), micro, w);
}

// Computes x = norm(part + x).
void CpuEngine::add_and_norm(const float* part, const NormStep& norm, const Next& next,
                             const MicroBatch& micro, Workspace& w) const {
  float* all = w.x.data();
  const SitePass& pass = w.watch.pass;
  const bool apart = pass.is_active(norm.input_site);
  if (apart) {
    parallel_rows(micro.tokens, [&](Range r) {
      add_row(part + r.from * hidden_, r.size() * hidden_, all + r.from * hidden_);
    });
    pass.show(norm.input_site, {all, hidden_, micro.offsets});
    pass.round(norm.input_site, {all, hidden_, micro.offsets});
  }
  const LinearFeed* to = feed(next, micro.tokens, w);
  parallel_rows(micro.tokens, [&](Range r) {
    float* x = all + r.from * hidden_;
    const float* sum = apart ? x : part + r.from * hidden_;
    norm_rows(norm.weights,
              {.x = sum, .residual = apart ? nullptr : x, .out = x, .rows = r.size()});
    if (to) to->take({x, hidden_, r, {0, hidden_}});
  });
  w.lap({Stage::norm});
}

void CpuEngine::run_head(const MicroBatch& micro, Workspace& w) const {
  SiteRows rows{w.x.data(), hidden_, micro.offsets};
  std::vector<int32_t> one_each;
  if (head_kind_ == HeadKind::first_token) {
    const size_t count = micro.sequences;
    float* first = w.head_rows[0].grow(count * hidden_);
    for (size_t s = 0; s < count; ++s)
      std::memcpy(first + s * hidden_, rows.x + static_cast<size_t>(micro.offsets[s]) * hidden_,
                  hidden_ * sizeof(float));
    one_each.resize(count + 1);
    std::iota(one_each.begin(), one_each.end(), 0);
    rows = {first, hidden_, one_each};
  }
  for (size_t i = 0; i < head_.size(); ++i) {
    const LinearStep& step = head_[i].step;
    float* to = w.head_rows[i + 1].grow(rows.rows() * step.linear.out());
    run_step(step, {Stage::head, {rows}, to, head_[i].activation}, w);
    rows = {to, step.linear.out(), rows.offsets};
  }
}

void CpuEngine::store(const MicroBatch& micro, const Workspace& w,
                      std::vector<EngineOutput>& outputs) const {
  for (size_t i = 0; i < outputs.size(); ++i) {
    const OutputRows& rows = output_rows_[i];
    rows.copy((rows.head_stage ? w.head_rows[*rows.head_stage + 1] : w.x).data(),
              rows.per_token ? micro.tokens : micro.sequences,
              rows.per_token ? micro.first_token : micro.first_sequence, outputs[i]);
  }
}

}  // namespace fp8q::cpu

namespace fp8q {

std::unique_ptr<Engine> make_cpu_engine(const Encoder& encoder, ComputeType compute,
                                        const std::function<void()>& layer_ready) {
  cpu::check(encoder);
  return std::make_unique<cpu::CpuEngine>(encoder, compute, layer_ready);
}

}  // namespace fp8q
