#include "engine/cuda/gpu_encoder.h"

#include <algorithm>

#include "base/error.h"
#include "encoder/summary.h"
#include "engine/embedding_table.h"
#include "engine/function.h"
#include "engine/weights.h"

namespace fp8q::cuda {
namespace {

void check_sizes(const Encoder& e) {
  const auto refuse = [](const std::string& reason) {
    fail(ErrorCode::unsupported, "the GPU engine: {}; --device cpu runs it", reason);
  };
  const int64_t width = e.embeddings.word.rows.dim(1);
  for (const int64_t columns : {e.hidden, width})
    if (columns % 16 != 0 || columns > kMostNormColumns)
      refuse(fmt::format("a width of {} where it takes multiples of 16 up to {}", columns,
                         kMostNormColumns));
  for (size_t i = 0; i < e.layers.size(); ++i) {
    const fp8q::Attention& a = e.layers[i].attention;
    if (a.heads <= 0 || a.head_size <= 0 || a.heads * a.head_size != e.hidden)
      refuse(fmt::format("layer {}: {} heads of {} channels do not make the hidden size {}", i,
                         a.heads, a.head_size, e.hidden));
    if (a.head_size != 32 && a.head_size != 64 && a.head_size != 128)
      refuse(fmt::format("layer {}: heads of {} channels where it takes 32, 64 or 128", i,
                         a.head_size));
  }
}

void check_head(const Encoder& e) {
  for (const HeadStage& stage : e.head)
    for (const RowFunction function : stage.input.functions)
      if (function != RowFunction::first_token || stage.input.functions.size() > 1)
        fail(ErrorCode::unsupported,
             "the GPU engine: {} reads {} where it takes rows or the first token; --device cpu "
             "runs it",
             stage.name, describe(e, stage.input));
}

GpuNorm make_norm(const LayerNorm& norm, int64_t width) {
  const NormWeights weights(norm, static_cast<size_t>(width));
  return {upload(weights.gamma, "LayerNorm"), upload(weights.beta, "LayerNorm"), weights.epsilon};
}

DeviceBuffer<float> make_table(const EmbeddingTable& table, const std::string& what) {
  const RowReader reader(table, what);
  const auto rows = static_cast<size_t>(reader.rows());
  std::vector<float> values(rows * reader.width());
  for (size_t row = 0; row < rows; ++row)
    reader.read(static_cast<int64_t>(row), &values[row * reader.width()]);
  return upload(values, what);
}

GpuEmbeddings make_embeddings(const Encoder& encoder) {
  const Embeddings& e = encoder.embeddings;
  GpuEmbeddings made;
  made.width = e.word.rows.dim(1);
  made.word = make_table(e.word, "word embeddings");
  made.position = make_table(e.position, "position embeddings");
  if (e.token_type) made.token_type = make_table(*e.token_type, "token type embeddings");
  made.has_type_input = !encoder.token_type_input.empty();
  made.position_rule = e.position_rule;
  made.norm = make_norm(e.norm, made.width);
  return made;
}

}  // namespace

GpuEncoder::GpuEncoder(const Encoder& encoder, const MatmulContext& context,
                       const GpuLinear::Options& options)
    : hidden(encoder.hidden), widest(3 * encoder.hidden), sites_(encoder.sites), context_(context) {
  check_sizes(encoder);
  check_head(encoder);
  for (const Site& site : encoder.sites)
    kernels.push_back({site.path,
                       site.quantization ? std::string(info(site.quantization->format).name)
                                         : std::string("fp32"),
                       is_operand(site.role) ? "not used" : "fp32"});
  embeddings = make_embeddings(encoder);
  if (encoder.embeddings.projection)
    projection.emplace(make_step({&*encoder.embeddings.projection}, options));
  else if (embeddings.width != hidden)
    fail(ErrorCode::bad_model, "the embeddings have width {}, the encoder {}", embeddings.width,
         hidden);
  for (const EncoderLayer& layer : encoder.layers) {
    layers.push_back(make_layer(layer, options));
    widest = std::max(widest, layer.intermediate.out);
  }
  for (const HeadStage& stage : encoder.head) {
    head.push_back(
        {stage.input, is_per_token(encoder, stage.input), stage.linear.input_site,
         GpuDense(stage.linear, encoder.sites, function_of<Function>(stage.activation))});
    note(stage.linear.input_site, head.back().dense.effective());
    note(stage.linear.weight_site, head.back().dense.effective());
  }
}

void GpuEncoder::note(int site, const std::string& effective) {
  if (site >= 0) kernels.at(static_cast<size_t>(site)).effective = effective;
}

GpuStep GpuEncoder::make_step(const std::vector<const Linear*>& linears,
                              const GpuLinear::Options& options) {
  GpuStep step{{}, GpuLinear(linears, sites_, context_, options)};
  for (const Linear* l : linears) {
    note(l->weight_site, step.linear.effective());
    note(l->input_site, step.linear.effective());
    auto& seen = step.input_sites;
    if (l->input_site >= 0 && std::find(seen.begin(), seen.end(), l->input_site) == seen.end())
      seen.push_back(l->input_site);
  }
  return step;
}

GpuLayer GpuEncoder::make_layer(const EncoderLayer& l, const GpuLinear::Options& options) {
  std::vector<GpuStep> projections;
  if (can_join({&l.query, &l.key, &l.value}, sites_)) {
    projections.push_back(make_step({&l.query, &l.key, &l.value}, options));
  } else {
    // Attention reads sums of one type.
    GpuLinear::Options apart = options;
    apart.integers = false;
    for (const Linear* one : {&l.query, &l.key, &l.value})
      projections.push_back(make_step({one}, apart));
    // An observer sees each input Site once, even if two of the projections share it.
    for (size_t i = 1; i < projections.size(); ++i)
      for (size_t j = 0; j < i; ++j)
        for (const int site : projections[j].input_sites)
          std::erase(projections[i].input_sites, site);
  }
  const Function activation = function_of<Function>(l.activation);
  GpuStep intermediate = make_step({&l.intermediate}, options),
          output = make_step({&l.output}, options);
  intermediate.linear.offer(activation, output.linear.input());
  note(l.intermediate.weight_site, intermediate.linear.effective());
  return {.projections = std::move(projections),
          .attention = make_attention(l.attention),
          .attention_output = make_step({&l.attention_output}, options),
          .attention_norm = make_norm(l.attention_norm, hidden),
          .intermediate = std::move(intermediate),
          .activation = activation,
          .output = std::move(output),
          .output_norm = make_norm(l.output_norm, hidden)};
}

GpuAttention GpuEncoder::make_attention(const fp8q::Attention& a) {
  const auto operand = [&](int site, float factor) {
    AttentionOperand o{.factor = factor};
    if (const auto q = activation_quantization(sites_, site)) {
      o.format = q->format;
      o.scale = q->scale;
    }
    note(site, o.format ? fmt::format("{} as fp16 products, exact; fp32 sums", info(*o.format).name)
                        : "fp16 products, fp32 sums");
    return o;
  };
  GpuAttention made{.arguments = {},
                    .sites = {a.query_site, a.key_site, a.value_site, a.probabilities_site}};
  made.arguments.heads = a.heads;
  made.arguments.head_size = a.head_size;
  made.arguments.scale = a.scale;
  made.arguments.operands[0] = operand(a.query_site, a.query_scale);
  made.arguments.operands[1] = operand(a.key_site, a.key_scale);
  made.arguments.operands[2] = operand(a.value_site, 1);
  made.arguments.probabilities = operand(a.probabilities_site, 1);
  return made;
}

std::vector<GpuStep*> GpuLayer::steps() {
  std::vector<GpuStep*> all;
  for (GpuStep& p : projections) all.push_back(&p);
  for (GpuStep* s : {&attention_output, &intermediate, &output}) all.push_back(s);
  return all;
}

std::vector<GpuStep*> GpuEncoder::steps() {
  std::vector<GpuStep*> all;
  if (projection) all.push_back(&*projection);
  for (GpuLayer& l : layers)
    for (GpuStep* s : l.steps()) all.push_back(s);
  return all;
}

}  // namespace fp8q::cuda
