#include "engine/cpu/cpu_engine.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

#include "base/error.h"
#include "base/threads.h"
#include "engine/cpu/roof.h"
#include "kernels/cpu/isa.h"
#include "kernels/cpu/norm.h"

namespace fp8q {
namespace {

cpu::Function function_of(Activation a) {
  switch (a) {
    case Activation::none:
      return cpu::Function::none;
    case Activation::gelu_erf:
      return cpu::Function::gelu_erf;
    case Activation::gelu_tanh:
      return cpu::Function::gelu_tanh;
    case Activation::relu:
      return cpu::Function::relu;
    case Activation::tanh:
      return cpu::Function::tanh;
  }
  FP8Q_ASSERT(!"activation without a kernel");
}

// Of a matrix product: 2 per multiplication with its addition.
double operations(size_t rows, size_t in, size_t out) {
  return 2.0 * static_cast<double>(rows) * static_cast<double>(in) * static_cast<double>(out);
}

void check(const Encoder& e) {
  if (const char* wanted = std::getenv("FP8Q_ISA"); wanted && !cpu::isa_named(wanted))
    fail(ErrorCode::usage,
         "FP8Q_ISA={}: use scalar, avx2, avx512, avx512-vnni or avx512-bf16, or unset it",
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

CpuEngine::CpuEngine(const Encoder& encoder, ComputeType compute)
    : sites_(encoder.sites),
      outputs_(encoder.outputs),
      head_kind_(encoder.head_kind),
      compute_(compute),
      hidden_(static_cast<size_t>(encoder.hidden)),
      limits_(encoder),
      embeddings_(encoder) {
  cpu::isa();  // settles the level before the first kernel runs
  note_kernels();
  if (encoder.embeddings.projection) projection_ = make_step({&*encoder.embeddings.projection});
  const size_t width = projection_ ? projection_->linear.out() : embeddings_.width();
  if (width != hidden_)
    fail(ErrorCode::bad_model, "the embeddings have width {}, the encoder {}", width, hidden_);
  for (const EncoderLayer& layer : encoder.layers) layers_.push_back(make_layer(layer));
  for (const HeadStage& stage : encoder.head)
    head_.push_back({make_step({&stage.linear}), stage.activation});
}

void CpuEngine::note_kernels() {
  for (const Site& site : sites_) {
    const bool half = compute_ == ComputeType::bf16 && !site.quantization;
    kernels_.push_back({site.path,
                        site.quantization ? std::string(info(site.quantization->format).name)
                                          : std::string(half ? "bf16" : "fp32"),
                        "not used"});
  }
}

void CpuEngine::note(int site, const std::string& effective) {
  if (site >= 0) kernels_.at(static_cast<size_t>(site)).effective = effective;
}

LinearStep CpuEngine::make_step(const std::vector<const Linear*>& linears) {
  LinearStep step{{}, PreparedLinear(linears, sites_, compute_)};
  const std::string effective = step.linear.effective();
  for (const Linear* l : linears) {
    note(l->weight_site, effective);
    note(l->input_site, effective);
    auto& seen = step.input_sites;
    if (l->input_site >= 0 && std::find(seen.begin(), seen.end(), l->input_site) == seen.end())
      seen.push_back(l->input_site);
  }
  return step;
}

CpuEngine::Layer CpuEngine::make_layer(const EncoderLayer& l) {
  std::vector<LinearStep> projections;
  if (can_join({&l.query, &l.key, &l.value}, sites_)) {
    projections.push_back(make_step({&l.query, &l.key, &l.value}));
  } else {
    for (const Linear* one : {&l.query, &l.key, &l.value}) projections.push_back(make_step({one}));
  }
  // An observer sees each input Site once, also where two of the projections share it.
  for (size_t i = 1; i < projections.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      for (const int site : projections[j].input_sites)
        std::erase(projections[i].input_sites, site);
  AttentionBlock attention(l.attention, sites_);
  for (const int site : {l.attention.query_site, l.attention.key_site,
                         l.attention.probabilities_site, l.attention.value_site})
    if (site >= 0) note(site, attention.effective(site));
  return {.projections = std::move(projections),
          .attention = std::move(attention),
          .attention_output = make_step({&l.attention_output}),
          .attention_norm = NormWeights(l.attention_norm, hidden_),
          .intermediate = make_step({&l.intermediate}),
          .activation = l.activation,
          .output = make_step({&l.output}),
          .output_norm = NormWeights(l.output_norm, hidden_)};
}

std::string CpuEngine::description() const {
  static constexpr std::array<std::string_view, 5> kTitles = {
      "plain C", "AVX2", "AVX-512", "AVX-512 with VNNI", "AVX-512 with VNNI and BF16"};
  return fmt::format("cpu, {} (Highway), oneDNN {}, {} thread{}",
                     kTitles[static_cast<size_t>(cpu::isa())], cpu::dnnl_version_text(), threads(),
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
  limits_.check(batch);
  std::vector<EngineOutput> outputs = make_outputs(batch);
  const Watch watch{.observer = observer ? &observer : nullptr};
  const Division division = divide(batch, watch.observer != nullptr);
  division.for_each([&](size_t i) { run_micro(batch, division.micros[i], watch, outputs); });
  return outputs;
}

std::vector<StageTime> CpuEngine::profile(const PackedBatch& batch) {
  limits_.check(batch);
  std::vector<EngineOutput> outputs = make_outputs(batch);
  const Division division = divide(batch, false);
  std::vector<StageClock> clocks(division.micros.size());
  division.for_each(
      [&](size_t i) { run_micro(batch, division.micros[i], {.clock = &clocks[i]}, outputs); });
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
  for (const Layer& layer : layers_) run_layer(layer, micro, *w);
  if (!head_.empty()) run_head(micro, *w);
  store(micro, *w, outputs);
  workspaces_.give_back(std::move(w));
}

void CpuEngine::embed(const PackedBatch& batch, const MicroBatch& micro, Workspace& w) const {
  float* x = w.x.grow(micro.tokens * hidden_);
  const size_t width = embeddings_.width();
  float* rows = projection_ ? w.wide.grow(micro.tokens * width) : x;
  embeddings_.run({.ids = std::span(batch.ids).subspan(micro.first_token, micro.tokens),
                   .type_ids = std::span(batch.type_ids).subspan(micro.first_token, micro.tokens),
                   .positions = micro.positions,
                   .out = rows});
  w.lap({Stage::embeddings});
  if (projection_) run_step(*projection_, {Stage::embeddings, rows, micro.tokens, x, hidden_}, w);
}

void CpuEngine::run_step(const LinearStep& step, const Step& args, Workspace& w) const {
  const size_t in = step.linear.in();
  if (w.watch.observer) {
    for (const int site : step.input_sites)
      (*w.watch.observer)(site, {args.x, args.rows * in}, static_cast<int64_t>(in));
  }
  step.linear.run({.x = args.x,
                   .x_stride = in,
                   .rows = args.rows,
                   .function = function_of(args.activation),
                   .y = args.y,
                   .y_stride = args.y_stride},
                  w.linear);
  w.lap({args.stage, step.linear.unit(), operations(args.rows, in, step.linear.out())});
}

void CpuEngine::run_layer(const Layer& layer, const MicroBatch& micro, Workspace& w) const {
  const size_t tokens = micro.tokens;
  const size_t inner = layer.intermediate.linear.out();
  float* x = w.x.data();
  float* wide = w.wide.grow(tokens * std::max(3 * hidden_, inner));
  float* context = w.context.grow(tokens * hidden_);

  size_t column = 0;
  for (const LinearStep& p : layer.projections) {
    run_step(p, {Stage::qkv, x, tokens, wide + column, 3 * hidden_}, w);
    column += p.linear.out();
  }
  layer.attention.run({wide, context, micro.offsets, w.watch.observer}, w.attention);
  w.lap({Stage::attention, AttentionBlock::kUnit, layer.attention.operations(micro.offsets)});
  // The q, k, v are used up: their memory takes the product.
  run_step(layer.attention_output, {Stage::attention_output, context, tokens, wide, hidden_}, w);
  add_and_norm(wide, layer.attention_norm, tokens, w);
  run_step(layer.intermediate, {Stage::intermediate, x, tokens, wide, inner, layer.activation}, w);
  run_step(layer.output, {Stage::output, wide, tokens, context, hidden_}, w);
  add_and_norm(context, layer.output_norm, tokens, w);
}

// x = norm(part + x)
void CpuEngine::add_and_norm(const float* part, const NormWeights& norm, size_t tokens,
                             Workspace& w) const {
  constexpr size_t kRows = 32;
  parallel_for((tokens + kRows - 1) / kRows, [&](size_t i) {
    const size_t from = i * kRows;
    float* x = w.x.data() + from * hidden_;
    cpu::norm_rows({.x = part + from * hidden_,
                    .x_stride = hidden_,
                    .residual = x,
                    .residual_stride = hidden_,
                    .gamma = norm.gamma.data(),
                    .beta = norm.beta.data(),
                    .epsilon = norm.epsilon,
                    .out = x,
                    .out_stride = hidden_,
                    .rows = std::min(kRows, tokens - from),
                    .columns = hidden_});
  });
  w.lap({Stage::norm});
}

void CpuEngine::run_head(const MicroBatch& micro, Workspace& w) const {
  const float* rows = w.x.data();
  size_t count = micro.tokens;
  if (head_kind_ == HeadKind::first_token) {
    count = micro.sequences;
    float* first = w.head_rows[0].grow(count * hidden_);
    for (size_t s = 0; s < count; ++s)
      std::memcpy(first + s * hidden_, rows + static_cast<size_t>(micro.offsets[s]) * hidden_,
                  hidden_ * sizeof(float));
    rows = first;
  }
  for (size_t i = 0; i < head_.size(); ++i) {
    const LinearStep& step = head_[i].step;
    float* to = w.head_rows[i + 1].grow(count * step.linear.out());
    run_step(step, {Stage::head, rows, count, to, step.linear.out(), head_[i].activation}, w);
    rows = to;
  }
}

std::vector<EngineOutput> CpuEngine::make_outputs(const PackedBatch& batch) const {
  std::vector<EngineOutput> outputs;
  for (const EncoderOutput& o : outputs_) {
    const bool states = o.source == OutputSource::hidden_states;
    EngineOutput out{.name = o.name,
                     .per_token = states || head_kind_ == HeadKind::every_token,
                     .width = static_cast<int64_t>(hidden_),
                     .values = {}};
    if (o.source == OutputSource::head_stage)
      out.width = static_cast<int64_t>(head_.at(static_cast<size_t>(o.index)).step.linear.out());
    if (o.source == OutputSource::head_column) out.width = 1;
    const size_t rows = out.per_token ? batch.tokens() : batch.sequences();
    out.values.resize(rows * static_cast<size_t>(out.width));
    outputs.push_back(std::move(out));
  }
  return outputs;
}

void CpuEngine::store(const MicroBatch& micro, const Workspace& w,
                      std::vector<EngineOutput>& outputs) const {
  for (size_t i = 0; i < outputs.size(); ++i) {
    EngineOutput& out = outputs[i];
    const EncoderOutput& o = outputs_[i];
    const auto width = static_cast<size_t>(out.width);
    const size_t rows = out.per_token ? micro.tokens : micro.sequences;
    const size_t first = out.per_token ? micro.first_token : micro.first_sequence;
    float* to = out.values.data() + first * width;
    const auto index = static_cast<size_t>(o.index);
    if (o.source == OutputSource::hidden_states) {
      std::memcpy(to, w.x.data(), rows * width * sizeof(float));
    } else if (o.source == OutputSource::head_stage) {
      std::memcpy(to, w.head_rows[index + 1].data(), rows * width * sizeof(float));
    } else {
      const size_t columns = head_.back().step.linear.out();
      for (size_t r = 0; r < rows; ++r) to[r] = w.head_rows.back().data()[r * columns + index];
    }
  }
}

std::unique_ptr<Engine> make_cpu_engine(const Encoder& encoder, ComputeType compute) {
  check(encoder);
  return std::make_unique<CpuEngine>(encoder, compute);
}

}  // namespace fp8q
