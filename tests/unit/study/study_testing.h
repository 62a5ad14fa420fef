// Makes a small random encoder with a Plan for every Site of its products.
#pragma once

#include "encoder/random_encoder.h"
#include "quantize/plan.h"
#include "quantize/weights.h"
#include "study/bench_encoder.h"

namespace fp8q::test {

inline PackedBatch words(size_t sequences, uint64_t seed = 3) {
  return random_batch({.sequences = sequences, .length = 12, .vocabulary = 1000, .seed = seed});
}

// Returns what a recipe gives the Sites, without a graph.
inline Plan plan_of(const Encoder& encoder, const Recipe& recipe) {
  const std::vector<float> absmax = observed_absmax(encoder, 1);
  Plan plan;
  for (size_t s = 0; s < encoder.sites.size(); ++s) {
    const Site& site = encoder.sites[s];
    SitePlan p;
    p.path = site.path;
    p.kind = site.kind;
    const bool chosen = recipe.roles & role_bit(site.role);
    p.format = site.kind == SiteKind::weight ? recipe.weights : recipe.activations;
    if (chosen) p.uses = {{0, 0}};
    if (site.kind == SiteKind::activation) p.granularity = recipe.activation_granularity;
    if (chosen && site.kind == SiteKind::activation && !p.per_token())
      p.scales = {scale_for(p.format, site.role == SiteRole::probabilities ? 1.0f : absmax[s])};
    plan.sites.push_back(std::move(p));
  }
  for (const EncoderLayer& l : encoder.layers)
    for (const Linear* linear :
         {&l.query, &l.key, &l.value, &l.attention_output, &l.intermediate, &l.output}) {
      const auto s = static_cast<size_t>(linear->weight_site);
      SitePlan& p = plan.sites[s];
      p.granularity = Granularity::channel;
      p.axis = encoder.sites[s].channel_axis;
      p.scales = absmax_scales(linear->weight, p.format, p.axis.axis).scales;
    }
  return plan;
}

}  // namespace fp8q::test
