// Which inputs of linear layers are smoothed (smooth_quant.h), and by what factors. Internal to
// planning.
//
// An input is smoothed where each of the products that read it quantized multiplies it by a
// constant matrix, and where its range is the absmax: the other observers look at histograms, which
// say nothing of single channels.
#pragma once

#include <map>

#include "calibrate/statistics.h"
#include "quantize/plan.h"
#include "quantize/products.h"

namespace fp8q {

// Sets factors, input axis and alpha of inputs and of the weights that read them. Errors (bad_data)
// as make_plan() has them: an input has no statistics, or none of its channels.
void plan_smoothing(const GraphIndex& index, const std::vector<Site>& sites,
                    const std::map<size_t, Product>& products, const Statistics* statistics,
                    const SmoothQuant& wanted, std::vector<SitePlan>& plans);

// The constant that the codes of a quantized weight stand for: as the product sees it, divided by
// the factors of its input.
Tensor planned_weight(const GraphIndex& index, const SitePlan& plan);

// The largest magnitude of a value with its factors.
float smoothed_absmax(const SiteStatistics& statistics, std::span<const float> factors);

}  // namespace fp8q
