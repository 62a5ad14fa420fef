// Decides which inputs of linear layers are smoothed (smooth_quant.h), and by what factors. This
// header is internal to planning.
//
// An input is smoothed if every quantized product that reads it multiplies it by a constant matrix,
// and if its range is the absmax. The other observers look at histograms, which say nothing about
// single channels.
#pragma once

#include <map>

#include "calibrate/statistics.h"
#include "quantize/plan.h"
#include "quantize/products.h"

namespace fp8q {

// Sets factors, input axis and alpha of inputs and of the weights that read them. Throws an Error
// (bad_data) as make_plan() does if an input has no statistics, or no statistics of its channels.
void plan_smoothing(const GraphIndex& index, const std::vector<Site>& sites,
                    const std::map<size_t, Product>& products, const Statistics* statistics,
                    const SmoothQuant& wanted, std::vector<SitePlan>& plans);

// Returns the constant that the codes of a quantized weight stand for: the weight as the product
// sees it, divided by the factors of its input.
Tensor planned_weight(const GraphIndex& index, const SitePlan& plan);

// Returns the largest magnitude of a value times its factors.
float smoothed_absmax(const SiteStatistics& statistics, std::span<const float> factors);

}  // namespace fp8q
