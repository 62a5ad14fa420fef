// Tells before any scale is computed whether a request can be carried out in a sensible part.
#pragma once

#include "graph/model.h"
#include "quantize/request.h"

namespace fp8q {

// Throws an Error (unsupported) if nothing is asked for, or if fewer than a tenth of the products
// with a weight that the request asks for can be quantized. The message gives the reason of the
// first that cannot, and begins with `where`. Throws an Error (usage) if the formats of two
// operands do not mix.
void require_coverage(const Model& model, const std::vector<Site>& sites,
                      const PlanRequest& request, const std::string& where);

// Throws an Error as make_plan() does if a weight that the request asks for has another type than
// float and its 16-bit types, or holds values that are not finite.
void check_weights(const Model& model, const std::vector<Site>& sites, const PlanRequest& request);

}  // namespace fp8q
