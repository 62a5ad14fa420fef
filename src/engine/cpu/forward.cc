#include "engine/cpu/forward.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "engine/row_functions.h"
#include "kernels/cpu/activation.h"
#include "kernels/cpu/norm.h"

namespace fp8q::cpu {
namespace {

// Returns the operations of a matrix product: 2 per multiplication with its addition.
double operations(size_t rows, const PreparedLinear& linear) {
  return 2.0 * static_cast<double>(rows) * static_cast<double>(linear.in()) *
         static_cast<double>(linear.out());
}

}  // namespace

Forward::Forward(const CpuEncoder& encoder) : encoder_(encoder), head_rows_(encoder.head.size()) {}

void Forward::run(const PackedBatch& batch, const MicroBatch& micro, const Watch& watch) {
  const Pass pass{batch, micro, watch};
  if (watch.clock) watch.clock->start();
  handover_.withdraw();
  embed(pass);
  for (size_t i = 0; i < encoder_.layers.size(); ++i) run_layer(pass, i);
  if (!encoder_.head.empty()) run_head(pass);
}

void Forward::embed(const Pass& pass) {
  const EmbeddingBlock& embeddings = encoder_.embeddings;
  const auto& projection = encoder_.projection;
  const MicroBatch& micro = pass.micro;
  const size_t width = embeddings.width();
  float* hidden = hidden_.grow(micro.tokens * encoder_.hidden);
  float* rows = projection ? wide_.grow(micro.tokens * width) : hidden;
  const EmbeddingBlock::Run args{
      .ids = std::span(pass.batch.ids).subspan(micro.first_token, micro.tokens),
      .type_ids = std::span(pass.batch.type_ids).subspan(micro.first_token, micro.tokens),
      .offsets = micro.offsets,
      .out = rows,
      .feed = projection ? nullptr : offer(pass, reader_of(0))};
  if (const int site = embeddings.sum_site(); pass.sites().is_active(site)) {
    embeddings.sum(args);
    pass.sites().show(site, {rows, width, micro.offsets});
    pass.sites().round(site, {rows, width, micro.offsets});
    parallel_rows(micro.tokens, [&](Range r) {
      float* part = rows + r.from * width;
      embeddings.normalize(part, r.size());
      if (args.feed) args.feed->take({part, width, r, {0, width}});
    });
  } else {
    embeddings.run(args);
  }
  pass.lap({Stage::embeddings});
  if (projection)
    product(pass, *projection, {Stage::embeddings, {{rows, width, micro.offsets}}, hidden});
}

// Once attention has run, q, k and v are not needed any more, so its output product takes their
// memory. So does the inside of the FFN when that product has been added. The FFN's result likewise
// takes the place of the context.
Forward::LayerRows Forward::layer_rows(const Pass& pass, const CpuLayer& layer) {
  const size_t tokens = pass.micro.tokens, hidden = encoder_.hidden;
  float* wide = wide_.grow(tokens * std::max(3 * hidden, layer.intermediate.linear.out()));
  float* narrow = narrow_.grow(tokens * hidden);
  return {.qkv = wide, .context = narrow, .attended = wide, .inner = wide, .output = narrow};
}

void Forward::run_layer(const Pass& pass, size_t index) {
  const CpuLayer& layer = encoder_.layers[index];
  const LayerRows rows = layer_rows(pass, layer);
  const std::span<const int32_t> offsets = pass.micro.offsets;
  const size_t hidden = encoder_.hidden, inner = layer.intermediate.linear.out();
  const bool rounded = layer.output_residual_rounded;

  const bool fed = project(pass, layer, rows.qkv);
  attend(pass, layer, rows, fed);
  product(pass, layer.attention_output,
          {Stage::attention_output, {{rows.context, hidden, offsets}}, rows.attended});
  add_norm(pass, rows.attended, layer.attention_norm, {&layer.intermediate, true, rounded});
  product(pass, layer.intermediate,
          {Stage::intermediate,
           {{hidden_.data(), hidden, offsets}, true, rounded},
           rows.inner,
           layer.activation,
           {&layer.output}});
  product(pass, layer.output, {Stage::output, {{rows.inner, inner, offsets}}, rows.output});
  add_norm(pass, rows.output, layer.output_norm, reader_of(index + 1));
}

// Makes q, k and v, and hands them to attention if that takes them. Returns whether it does.
// Otherwise `qkv` gets them side by side. Projections that share their Site share its values.
bool Forward::project(const Pass& pass, const CpuLayer& layer, float* qkv) {
  const size_t tokens = pass.micro.tokens, hidden = encoder_.hidden;
  const Input input{
      {hidden_.data(), hidden, pass.micro.offsets}, true, layer.attention_residual_rounded};
  const float* x = nullptr;
  int entered = -1;
  size_t column = 0;
  bool fed = false;
  for (const LinearStep& p : layer.projections) {
    x = read(pass, p, input, p.input_site == entered ? x : nullptr);
    entered = p.input_site;
    const auto heads = layer.attention.feed(qkv, tokens, pass.sites(), column);
    fed = heads.has_value();
    p.linear.run({.x = x,
                  .x_stride = hidden,
                  .rows = tokens,
                  .function = Function::none,
                  .y = fed ? nullptr : qkv + column,
                  .y_stride = 3 * hidden,
                  .feed = fed ? &*heads : nullptr},
                 handover_.current());
    column += p.linear.out();
    pass.lap({Stage::qkv, p.linear.unit(), operations(tokens, p.linear)});
  }
  return fed;
}

void Forward::attend(const Pass& pass, const CpuLayer& layer, const LayerRows& rows, bool fed) {
  const std::span<const int32_t> offsets = pass.micro.offsets;
  layer.attention.run({.qkv = rows.qkv,
                       .fed = fed,
                       .out = rows.context,
                       .offsets = offsets,
                       .pass = &pass.sites(),
                       .feed = offer(pass, {&layer.attention_output})},
                      attention_);
  pass.lap({Stage::attention, layer.attention.unit(), layer.attention.operations(offsets)});
}

// Makes the hidden states norm(part + hidden states).
void Forward::add_norm(const Pass& pass, const float* part, const NormStep& norm,
                       const Reader& reader) {
  const size_t tokens = pass.micro.tokens, width = encoder_.hidden;
  float* all = hidden_.data();
  const bool apart = pass.sites().is_active(norm.input_site);
  if (apart) {
    parallel_rows(tokens, [&](Range r) {
      add_row(part + r.from * width, r.size() * width, all + r.from * width);
    });
    pass.sites().show(norm.input_site, {all, width, pass.micro.offsets});
    pass.sites().round(norm.input_site, {all, width, pass.micro.offsets});
  }
  const RowSink* to = offer(pass, reader);
  parallel_rows(tokens, [&](Range r) {
    float* x = all + r.from * width;
    const float* sum = apart ? x : part + r.from * width;
    norm_rows(norm.weights,
              {.x = sum, .residual = apart ? nullptr : x, .out = x, .rows = r.size()});
    if (to) to->take({x, width, r, {0, width}});
  });
  pass.lap({Stage::norm});
}

void Forward::run_head(const Pass& pass) {
  const MicroBatch& micro = pass.micro;
  std::vector<int32_t> one_each(micro.sequences + 1);
  std::iota(one_each.begin(), one_each.end(), 0);
  for (size_t i = 0; i < encoder_.head.size(); ++i) {
    const auto& [input, per_token, step, activation] = encoder_.head[i];
    const bool hidden = input.stage == HeadRows::kHiddenStates;
    const size_t from = hidden ? 0 : static_cast<size_t>(input.stage);
    float* x = hidden ? hidden_.data() : head_rows_[from].data();
    if (!input.functions.empty()) {
      apply_functions(input.functions,
                      {x, step.linear.in(), micro.offsets, hidden || encoder_.head[from].per_token},
                      head_input_);
      x = head_input_.data();
    }
    const SiteRows rows{x, step.linear.in(),
                        per_token ? std::span<const int32_t>(micro.offsets) : one_each};
    float* y = head_rows_[i].grow(rows.rows() * step.linear.out());
    product(pass, step, {Stage::head, {rows}, y, activation});
  }
}

// Returns the product that reads a layer's input, if the layer exists and its q, k and v are one
// product.
Forward::Reader Forward::reader_of(size_t layer) const {
  if (layer >= encoder_.layers.size()) return {};
  const CpuLayer& l = encoder_.layers[layer];
  return {l.joint_projection(), true, l.attention_residual_rounded};
}

// Returns what takes rows on their way to their reader as they are made. Returns nullptr if the
// reader takes the rows as they are, or if the rows are watched.
const RowSink* Forward::offer(const Pass& pass, const Reader& reader) {
  handover_.withdraw();
  if (!reader.step || reader.rounded || pass.sites().is_watched(reader.step->input_site))
    return nullptr;
  const OperandForm& form = reader.step->linear.form();
  if (form.is_x() || (form.takes_whole_rows() && !reader.whole_rows)) return nullptr;
  return handover_.offer(*reader.step, pass.micro.tokens, encoder_.sites);
}

// Returns what a linear layer reads at its Site. A transform changes a copy, unless the residual
// sum also adds the changed values.
const float* Forward::enter(const Pass& pass, int site, const Input& input) {
  SiteRows rows = input.rows;
  if (const SiteTransform* t = pass.sites().transform(site);
      t && !(input.in_residual && t->residual)) {
    const size_t size = rows.rows() * rows.columns;
    rows.x = changed_.grow(size);
    std::memcpy(rows.x, input.rows.x, size * sizeof(float));
  }
  if (pass.sites().is_watched(site)) pass.sites().show(site, rows);
  if (input.rounded) pass.sites().round(site, rows);
  return rows.x;
}

// Makes the layer's operand, unless it was handed over. If layers share a Site, `entered` is what
// enter() returned for it before. Returns x, whose values were not written if the operand was
// handed over.
const float* Forward::read(const Pass& pass, const LinearStep& step, const Input& input,
                           const float* entered) {
  if (handover_.take(step)) return input.rows.x;
  const float* x = entered ? entered : enter(pass, step.input_site, input);
  const OperandForm& form = step.linear.form();
  if (form.is_x()) return x;
  const size_t rows = input.rows.rows(), columns = input.rows.columns;
  const auto count = form.write_all(x, columns, rows, handover_.current());
  // Values that have already been rounded are not counted again.
  if (!entered && !input.rounded && encoder_.sites.rounding(step.input_site)) {
    encoder_.sites.count_values(step.input_site, rows * columns);
    encoder_.sites.count(step.input_site, count);
  }
  return x;
}

void Forward::product(const Pass& pass, const LinearStep& step, const Work& work) {
  const size_t rows = work.input.rows.rows();
  const bool apart = pass.sites().is_active(step.result_site);
  const float* x = read(pass, step, work.input);
  const RowSink* to = apart ? nullptr : offer(pass, work.reader);
  step.linear.run({.x = x,
                   .x_stride = step.linear.in(),
                   .rows = rows,
                   .function = apart ? Function::none : work.activation,
                   .y = to ? nullptr : work.y,
                   .y_stride = step.linear.out(),
                   .feed = to},
                  handover_.current());
  if (apart) finish_apart(pass, step, work);
  pass.lap({work.stage, step.linear.unit(), operations(rows, step.linear)});
}

// Applies the activation function after a result Site.
void Forward::finish_apart(const Pass& pass, const LinearStep& step, const Work& work) const {
  const size_t out = step.linear.out();
  const SiteRows y{work.y, out, work.input.rows.offsets};
  pass.sites().show(step.result_site, y);
  pass.sites().round(step.result_site, y);
  parallel_rows(y.rows(), [&](Range r) {
    activate({work.activation, y.x + r.from * out, out, r.size(), out});
  });
}

}  // namespace fp8q::cpu
