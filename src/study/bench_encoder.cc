#include "study/bench_encoder.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "base/threads.h"
#include "quantize/weights.h"

namespace fp8q {
namespace {

class Quantizer {
 public:
  Quantizer(Encoder& encoder, const Recipe& recipe, const std::vector<float>& absmax)
      : encoder_(encoder), recipe_(recipe), absmax_(absmax) {}

  void run() {
    for (Site& site : encoder_.sites)
      if (site.kind == SiteKind::activation && chosen(site)) activation(site);
    for (EncoderLayer& l : encoder_.layers) {
      l.attention_residual_rounded = covers(recipe_, SiteRole::attention_residual);
      l.output_residual_rounded = covers(recipe_, SiteRole::ffn_residual);
    }
    const std::vector<Linear*> linears = matrices();
    parallel_for(linears.size(), [&](size_t i) { weight(*linears[i]); });
    for (EmbeddingTable* table : {&encoder_.embeddings.word, &encoder_.embeddings.position})
      table->rows = table->rows.to(DType::f16);
    if (auto& types = encoder_.embeddings.token_type) types->rows = types->rows.to(DType::f16);
  }

 private:
  bool chosen(const Site& site) const { return covers(recipe_, site.role); }

  std::vector<Linear*> matrices() {
    std::vector<Linear*> linears;
    for (EncoderLayer& l : encoder_.layers)
      for (Linear* linear :
           {&l.query, &l.key, &l.value, &l.attention_output, &l.intermediate, &l.output})
        linears.push_back(linear);
    for (HeadStage& stage : encoder_.head) linears.push_back(&stage.linear);
    return linears;
  }

  void activation(Site& site) const {
    const auto index = static_cast<size_t>(&site - encoder_.sites.data());
    const float absmax = site.role == SiteRole::probabilities ? 1.0f : absmax_[index];
    const bool per_token = recipe_.activation_granularity == Granularity::token;
    site.quantization = Quantization{
        .format = recipe_.activations,
        .scale = Tensor::scalar(per_token ? 1.0f : scale_for(recipe_.activations, absmax)),
        .axis = {},
        .per_token = per_token};
  }

  void weight(Linear& linear) const {
    Site& site = encoder_.sites[static_cast<size_t>(linear.weight_site)];
    if (!chosen(site)) return;
    const auto axis =
        recipe_.weight_granularity == Granularity::channel ? site.channel_axis : std::nullopt;
    const auto scales = absmax_scales(linear.weight, recipe_.weights, axis).scales;
    linear.weight = quantized(linear.weight, recipe_.weights, axis, scales);
    const Tensor scale = axis ? Tensor::of<float>({static_cast<int64_t>(scales.size())}, scales)
                              : Tensor::scalar(scales.front());
    site.quantization = Quantization{recipe_.weights, scale, axis};
  }

  Encoder& encoder_;
  const Recipe& recipe_;
  const std::vector<float>& absmax_;
};

}  // namespace

PackedBatch random_batch(const RandomBatch& wanted) {
  std::mt19937_64 random(wanted.seed);
  const auto words = static_cast<uint64_t>(wanted.vocabulary);
  const size_t shortest = wanted.ragged ? (wanted.length + 3) / 4 : wanted.length;
  PackedBatch batch;
  for (size_t s = 0; s < wanted.sequences; ++s) {
    std::vector<int32_t> ids(shortest + random() % (wanted.length - shortest + 1));
    for (int32_t& id : ids) {
      do id = static_cast<int32_t>(random() % words);
      while (std::ranges::find(wanted.excluded, id) != wanted.excluded.end() &&
             words > wanted.excluded.size());
    }
    batch.append(ids, {});
  }
  return batch;
}

std::vector<int32_t> excluded_ids(const Encoder& encoder) {
  if (!encoder.masked_id) return {};
  return {*encoder.masked_id};
}

std::vector<float> observed_absmax(const Encoder& encoder, uint64_t seed) {
  constexpr size_t kSequences = 4, kLength = 32;
  const size_t length = std::min(kLength, static_cast<size_t>(encoder.max_positions));
  std::vector<float> absmax(encoder.sites.size(), 0.0f);
  make_cpu_engine(encoder, ComputeType::fp32)
      ->run(random_batch({.sequences = kSequences,
                          .length = length,
                          .vocabulary = encoder.embeddings.word.rows.dim(0),
                          .seed = seed,
                          .excluded = excluded_ids(encoder)}),
            [&](int site, std::span<const float> values, int64_t) {
              float& largest = absmax[static_cast<size_t>(site)];
              for (const float v : values) largest = std::max(largest, std::fabs(v));
            });
  return absmax;
}

Encoder quantized_encoder(const Encoder& encoder, const Recipe& recipe,
                          const std::vector<float>& absmax) {
  Encoder result = encoder;
  Quantizer(result, recipe, absmax).run();
  return result;
}

}  // namespace fp8q
