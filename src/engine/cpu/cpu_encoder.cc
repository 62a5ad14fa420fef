#include "engine/cpu/cpu_encoder.h"

#include <algorithm>

#include "base/error.h"
#include "base/threads.h"
#include "engine/function.h"
#include "kernels/cpu/isa.h"

namespace fp8q::cpu {
namespace {

// FP8 weights are expanded to BF16, which saves decoding, if those of all layers then take at most
// this much memory. It is half of what running a model may take in addition to its file.
constexpr size_t kExpandedWeights = size_t{32} << 20;

size_t weights_of(const Encoder& e) {
  size_t sum = 0;
  for (const EncoderLayer& l : e.layers)
    for (const Linear* one :
         {&l.query, &l.key, &l.value, &l.attention_output, &l.intermediate, &l.output})
      sum += static_cast<size_t>(one->in * one->out);
  return sum;
}

void check_heads(const Encoder& e) {
  for (size_t i = 0; i < e.layers.size(); ++i) {
    const Attention& a = e.layers[i].attention;
    if (a.heads <= 0 || a.head_size <= 0 || a.heads * a.head_size != e.hidden)
      fail(ErrorCode::unsupported,
           "layer {}: {} heads of {} channels do not make the hidden size {}", i, a.heads,
           a.head_size, e.hidden);
  }
}

}  // namespace

bool expands_codes(const Encoder& encoder) {
  return weights_of(encoder) * sizeof(uint16_t) <= kExpandedWeights;
}

std::vector<JointLinears> projections_of(const EncoderLayer& l, const std::vector<Site>& sites) {
  const JointLinears joint = {&l.query, &l.key, &l.value};
  const bool one_site =
      l.key.input_site == l.query.input_site && l.value.input_site == l.query.input_site;
  if (one_site && can_join(joint, sites)) return {joint};
  return {{&l.query}, {&l.key}, {&l.value}};
}

CpuEncoder::CpuEncoder(const Encoder& encoder, const CpuEngineSettings& settings)
    : hidden(static_cast<size_t>(encoder.hidden)),
      sites(encoder.sites),
      embeddings(encoder),
      model_sites_(encoder.sites),
      compute_(settings.compute),
      expand_codes_(expands_codes(encoder)) {
  check_heads(encoder);
  note_sites();
  if (encoder.embeddings.projection) projection = make_step({&*encoder.embeddings.projection});
  const size_t width = projection ? projection->linear.out() : embeddings.width();
  if (width != hidden)
    fail(ErrorCode::bad_model, "the embeddings have width {}, the encoder {}", width, hidden);
  make_layers(encoder.layers, settings);
  for (const HeadStage& stage : encoder.head)
    head.push_back({stage.input, is_per_token(encoder, stage.input), make_step({&stage.linear}),
                    function_of<Function>(stage.activation)});
}

// Makes a few layers at a time, since each holds the FP32 values of a matrix or two. Layers have no
// Site in common, so that each notes kernels of its own.
void CpuEncoder::make_layers(const std::vector<EncoderLayer>& all,
                             const CpuEngineSettings& settings) {
  const size_t side_by_side = settings.layers_side_by_side;
  for (size_t first = 0; first < all.size(); first += side_by_side) {
    std::vector<std::optional<CpuLayer>> made(std::min(side_by_side, all.size() - first));
    parallel_for(made.size(), [&](size_t i) {
      made[i].emplace(make_layer(all[first + i]));
      if (settings.layer_ready) settings.layer_ready();
    });
    for (std::optional<CpuLayer>& layer : made)
      if (layer) layers.push_back(std::move(*layer));
  }
}

void CpuEncoder::note_sites() {
  for (const Site& site : model_sites_) {
    const bool operand = is_operand(site.role);
    const bool half = compute_ == ComputeType::bf16 && operand && !site.quantization;
    const std::string requested(site.quantization ? info(site.quantization->format).name
                                : half            ? "bf16"
                                                  : "fp32");
    kernels.push_back({site.path, requested,
                       operand             ? "not used"
                       : site.quantization ? "fp32, rounded to " + requested
                                           : requested});
  }
}

void CpuEncoder::note(int site, const std::string& effective) {
  if (site >= 0) kernels.at(static_cast<size_t>(site)).effective = effective;
}

LinearStep CpuEncoder::make_step(const JointLinears& linears) {
  LinearStep step{linears.front()->input_site, linears.front()->result_site,
                  PreparedLinear(linears, model_sites_, compute_, expand_codes_)};
  const std::string effective = step.linear.effective();
  for (const Linear* l : linears) {
    note(l->weight_site, effective);
    note(l->input_site, effective);
  }
  return step;
}

NormStep CpuEncoder::make_norm(const LayerNorm& norm) const {
  return {NormWeights(norm, hidden), norm.input_site};
}

CpuLayer CpuEncoder::make_layer(const EncoderLayer& l) {
  std::vector<LinearStep> projections;
  for (const JointLinears& joint : projections_of(l, model_sites_))
    projections.push_back(make_step(joint));
  AttentionBlock attention(l.attention, model_sites_, embeddings.positions());
  for (const int site : {l.attention.query_site, l.attention.key_site,
                         l.attention.probabilities_site, l.attention.value_site})
    if (site >= 0) note(site, attention.effective(site));
  return {.projections = std::move(projections),
          .attention = std::move(attention),
          .attention_residual_rounded = l.attention_residual_rounded,
          .attention_output = make_step({&l.attention_output}),
          .attention_norm = make_norm(l.attention_norm),
          .output_residual_rounded = l.output_residual_rounded,
          .intermediate = make_step({&l.intermediate}),
          .activation = function_of<Function>(l.activation),
          .output = make_step({&l.output}),
          .output_norm = make_norm(l.output_norm)};
}

}  // namespace fp8q::cpu
