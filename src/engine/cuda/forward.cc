#include "engine/cuda/forward.h"

#include <algorithm>
#include <array>

#include "base/error.h"

namespace fp8q::cuda {

struct Forward::Pass {
  const BatchInput& input;
  const Bucket& bucket;
  Stream stream;
  Watcher* watcher;
  int64_t probabilities;

  bool seen() const { return watcher && watcher->sees(); }
  void after(Stage stage, const GpuLinear* linear = nullptr) const {
    check_launches(name(stage));
    if (watcher) watcher->after(stage, linear);
  }
};

namespace {

int64_t shared_limit() {
  int device = 0, bytes = 0;
  check(cudaGetDevice(&device), "asking for the device");
  check(cudaDeviceGetAttribute(&bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, device),
        "asking for the device's shared memory");
  return bytes;
}

Operand operand(const GpuStep* next, void* memory, float* row_scales) {
  return next ? Operand{memory, next->linear.input(), row_scales} : Operand{};
}

// Grows `buffer` and notes whether it moved.
template <typename T>
void grow(DeviceBuffer<T>& buffer, int64_t count, std::string_view purpose, bool& moved) {
  const T* before = buffer.data();
  moved |= buffer.grow(static_cast<size_t>(count), purpose) != before;
}

}  // namespace

Forward::Forward(GpuEncoder& encoder)
    : encoder_(encoder), shared_limit_(shared_limit()), head_rows_(encoder.head.size()) {}

bool Forward::prepare(const Bucket& bucket, Stream stream, AlgorithmCache& cache,
                      AlgorithmChoice choice) {
  bool moved = false;
  const int64_t tokens = bucket.tokens, hidden = encoder_.hidden;
  const int64_t width = std::max(hidden, encoder_.embeddings.width);
  int64_t sum_bytes = 0, wide_bytes = tokens * hidden * 2, narrow_bytes = tokens * width * 2;
  for (const GpuStep* step : encoder_.steps()) {
    // Projections that stand apart share the rows of the sums.
    const int64_t parts = step->linear.out() == hidden ? 3 : 1;
    sum_bytes = std::max(sum_bytes, parts * step->linear.sum_bytes(tokens));
    wide_bytes = std::max(wide_bytes, step->linear.input_bytes(tokens));
  }
  grow(residual_, tokens * hidden, "the residual stream", moved);
  grow(narrow_, narrow_bytes, "activations", moved);
  grow(wide_, wide_bytes, "activations", moved);
  grow(sums_, sum_bytes, "sums of products", moved);
  grow(row_scales_, 3 * tokens, "scales of tokens", moved);
  grow(values_, tokens * hidden, "hidden states", moved);
  for (size_t i = 0; i < head_rows_.size(); ++i)
    grow(head_rows_[i],
         (encoder_.head[i].per_token ? tokens : bucket.sequences) * encoder_.head[i].dense.out(),
         "the head", moved);
  for (GpuStep* step : encoder_.steps())
    step->linear.prepare(tokens,
                         {wide_.data(), sums_.data(), narrow_.data(), stream, cache, choice});
  return moved;
}

// Returns the step that reads a layer's input as its operand. Returns nullptr if there is none, or
// if several products read the input, each in its own way.
const GpuStep* Forward::reader_of(size_t layer) const {
  return layer < encoder_.layers.size() ? encoder_.layers[layer].joint_projection() : nullptr;
}

void Forward::submit(const BatchInput& input, const Bucket& bucket, Stream stream, Watcher* watcher,
                     int64_t probabilities) {
  const Pass pass{input, bucket, stream, watcher, probabilities};
  if (pass.seen())
    seen_.grow(
        static_cast<size_t>(std::max({bucket.tokens * encoder_.widest,
                                      bucket.tokens * encoder_.embeddings.width, probabilities})),
        "observed values");
  embed(pass);
  for (size_t i = 0; i < encoder_.layers.size(); ++i) run_layer(pass, i);
  if (!encoder_.head.empty()) run_head(pass);
}

void Forward::embed(const Pass& pass) {
  const GpuEmbeddings& e = encoder_.embeddings;
  const GpuStep* projection = encoder_.projection ? &*encoder_.projection : nullptr;
  const GpuStep* next = projection ? projection : reader_of(0);
  const bool last = encoder_.layers.empty() && !projection;
  cuda::embed({.ids = pass.input.ids,
               .type_ids = e.has_type_input ? pass.input.type_ids : nullptr,
               .positions = pass.input.positions,
               .word = e.word.data(),
               .position = e.position.data(),
               .token_type = e.token_type.data(),
               .norm = e.norm.arguments(),
               .tokens = pass.bucket.tokens,
               .columns = e.width,
               .out = {.hidden = projection ? nullptr : residual_.data(),
                       .operand = operand(next, narrow_.data(), row_scales_.data()),
                       .values = pass.seen() ? seen_.data()
                                 : last      ? values_.data()
                                             : nullptr}},
              pass.stream);
  pass.after(Stage::embeddings);
  show(pass, next, e.width);
  if (!projection) return;

  product(pass, *projection, narrow_.data(), Stage::embeddings);
  transform({.sums = sums_of(pass, *projection),
             .tokens = pass.bucket.tokens,
             .columns = encoder_.hidden,
             .out = {.hidden = residual_.data(),
                     .operand = operand(reader_of(0), narrow_.data(), row_scales_.data()),
                     .values = pass.seen() ? seen_.data() : nullptr}},
            pass.stream);
  pass.after(Stage::embeddings);
  show(pass, reader_of(0), encoder_.hidden);
}

// Shows the values that have just been written to seen_, which `reader` reads as its operand.
void Forward::show(const Pass& pass, const GpuStep* reader, int64_t columns) const {
  if (!pass.seen() || !reader || reader->input_sites.empty()) return;
  pass.watcher->see({.rows = Seen::Rows::tokens,
                     .sites = reader->input_sites,
                     .values = seen_.data(),
                     .count = pass.bucket.tokens * columns,
                     .columns = columns});
}

void Forward::product(const Pass& pass, const GpuStep& step, const void* x, Stage stage) {
  step.linear.run(pass.bucket.tokens, x, sums_.data(), pass.stream);
  pass.after(stage, &step.linear);
}

// Returns the sums that `step` has left. `part` is its place among projections that stand apart.
Sums Forward::sums_of(const Pass& pass, const GpuStep& step, int64_t part) const {
  const int64_t tokens = pass.bucket.tokens;
  return step.linear.sums(tokens, sums_.data() + part * step.linear.sum_bytes(tokens),
                          row_scales_.data() + part * tokens);
}

void Forward::run_layer(const Pass& pass, size_t index) {
  const GpuLayer& layer = encoder_.layers[index];
  project(pass, layer);
  attend(pass, layer);
  product(pass, layer.attention_output, narrow_.data(), Stage::attention_output);
  add_norm_for(pass, layer.attention_output, layer.attention_norm, &layer.intermediate);
  activate(pass, layer);
  product(pass, layer.output, wide_.data(), Stage::output);
  add_norm_for(pass, layer.output, layer.output_norm, reader_of(index + 1));
}

// Computes x = norm(sums + x).
void Forward::add_norm_for(const Pass& pass, const GpuStep& from, const GpuNorm& norm,
                           const GpuStep* next) {
  const bool last = &from == &encoder_.layers.back().output;
  float* seen = pass.seen() && next ? seen_.data() : nullptr;
  add_norm({.sums = sums_of(pass, from),
            .residual = residual_.data(),
            .norm = norm.arguments(),
            .tokens = pass.bucket.tokens,
            .columns = encoder_.hidden,
            .out = {.hidden = residual_.data(),
                    .operand = operand(next, narrow_.data(), row_scales_.data()),
                    .values = last ? values_.data() : seen}},
           pass.stream);
  pass.after(Stage::norm);
  show(pass, next, encoder_.hidden);
}

void Forward::activate(const Pass& pass, const GpuLayer& layer) {
  const GpuLinear& inner = layer.intermediate.linear;
  const int64_t tokens = pass.bucket.tokens;
  if (inner.fused(tokens) && !pass.seen()) {
    inner.run_fused(tokens, narrow_.data(), wide_.data(), pass.stream);
    return pass.after(Stage::intermediate, &inner);
  }
  product(pass, layer.intermediate, narrow_.data(), Stage::intermediate);
  transform({.sums = sums_of(pass, layer.intermediate),
             .function = layer.activation,
             .tokens = tokens,
             .columns = inner.out(),
             .out = {.operand = operand(&layer.output, wide_.data(), row_scales_.data()),
                     .values = pass.seen() ? seen_.data() : nullptr}},
            pass.stream);
  pass.after(Stage::activation);
  show(pass, &layer.output, inner.out());
}

void Forward::project(const Pass& pass, const GpuLayer& layer) {
  if (const GpuStep* joint = layer.joint_projection())
    return product(pass, *joint, narrow_.data(), Stage::qkv);
  // Each projection rounds the layer's input in its own way; the residual stream has the input in
  // BF16.
  const int64_t tokens = pass.bucket.tokens, hidden = encoder_.hidden;
  for (size_t i = 0; i < layer.projections.size(); ++i) {
    const GpuStep& step = layer.projections[i];
    const auto part = static_cast<int64_t>(i);
    transform(
        {.sums = {residual_.data(), SumType::bf16},
         .tokens = tokens,
         .columns = hidden,
         .out = {.operand = operand(&step, narrow_.data(), row_scales_.data() + part * tokens),
                 .values = pass.seen() ? seen_.data() : nullptr}},
        pass.stream);
    pass.after(Stage::qkv);
    show(pass, &step, hidden);
    auto* sums = sums_.data() + part * step.linear.sum_bytes(tokens);
    step.linear.run(tokens, narrow_.data(), sums, pass.stream);
    pass.after(Stage::qkv, &step.linear);
  }
}

void Forward::attend(const Pass& pass, const GpuLayer& layer) {
  Attention a = layer.attention.arguments;
  const int64_t hidden = encoder_.hidden, tokens = pass.bucket.tokens;
  for (size_t i = 0; i < 3; ++i) {
    const auto part = static_cast<int64_t>(i);
    if (const GpuStep* joint = layer.joint_projection())
      a.qkv[i] = sums_of(pass, *joint).columns_from(part * hidden);
    else a.qkv[i] = sums_of(pass, layer.projections[i], part);
  }
  a.qkv_stride = layer.joint_projection() ? 3 * hidden : hidden;
  a.tiles = pass.input.tiles;
  a.tile_count = pass.input.tile_count;
  a.most_tiles = pass.bucket.tiles;
  a.longest = pass.bucket.longest;
  a.shared_limit = shared_limit_;
  const Operand context = operand(&layer.attention_output, narrow_.data(), row_scales_.data());
  const bool per_token = context.rounding.per_token;
  a.out = per_token ? Operand{.data = wide_.data()} : context;

  if (pass.seen()) observe_operands(pass, layer, a);
  float* seen = pass.seen() ? seen_.data() : nullptr;
  if (!per_token) a.values = seen;
  attention(a, pass.stream);
  pass.after(Stage::attention);
  if (per_token) {
    transform({.sums = {wide_.data(), SumType::bf16},
               .tokens = tokens,
               .columns = hidden,
               .out = {.operand = context, .values = seen}},
              pass.stream);
    pass.after(Stage::attention);
  }
  show(pass, &layer.attention_output, hidden);
}

// Shows the operands of both products of attention, one after another through the same memory.
void Forward::observe_operands(const Pass& pass, const GpuLayer& layer, Attention a) {
  const int64_t hidden = encoder_.hidden;
  for (size_t i = 0; i < 3; ++i) {
    if (layer.attention.sites[i] < 0) continue;
    transform({.sums = a.qkv[i],
               .sum_stride = a.qkv_stride,
               .factor = a.operands[i].factor,
               .tokens = pass.bucket.tokens,
               .columns = hidden,
               .out = {.values = seen_.data()}},
              pass.stream);
    pass.watcher->see({.rows = Seen::Rows::heads,
                       .sites = {layer.attention.sites[i]},
                       .values = seen_.data(),
                       .count = pass.bucket.tokens * hidden,
                       .columns = a.head_size});
  }
  if (layer.attention.sites[3] < 0) return;
  a.probability_values = seen_.data();
  a.probability_offsets = pass.input.probability_offsets;
  attention(a, pass.stream);
  pass.watcher->see({.rows = Seen::Rows::probabilities,
                     .sites = {layer.attention.sites[3]},
                     .values = seen_.data(),
                     .count = pass.probabilities,
                     .columns = 0});
}

void Forward::run_head(const Pass& pass) {
  for (size_t i = 0; i < encoder_.head.size(); ++i) {
    const GpuHeadStage& stage = encoder_.head[i];
    const bool hidden = stage.input.stage == HeadRows::kHiddenStates;
    Dense args = stage.dense.arguments();
    args.x = hidden ? values_.data() : head_rows_[static_cast<size_t>(stage.input.stage)].data();
    args.offsets = stage.reads_first_tokens() ? pass.input.first_tokens : nullptr;
    args.rows = stage.per_token ? pass.bucket.tokens : pass.bucket.sequences;
    args.y = head_rows_[i].data();
    dense(args, pass.stream);
    pass.after(Stage::head);
    if (!pass.seen() || stage.input_site < 0) continue;
    const bool of_tokens = stage.per_token || stage.reads_first_tokens();
    pass.watcher->see({.rows = stage.per_token              ? Seen::Rows::tokens
                               : stage.reads_first_tokens() ? Seen::Rows::first_tokens
                                                            : Seen::Rows::sequences,
                       .sites = {stage.input_site},
                       .values = args.x,
                       .count = (of_tokens ? pass.bucket.tokens : args.rows) * args.in,
                       .columns = args.in});
  }
}

}  // namespace fp8q::cuda
